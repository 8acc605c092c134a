"""Everyone guesses the first place where all hats that are seen are black, and defers where there is none."""

import numpy as np

# EVOLVE-BLOCK-START


def strategies(h, players, p):
    blocks = 2**h
    table = np.full(blocks ** (players - 1), -1)
    for seen in range(len(table)):
        common = blocks - 1
        rest = seen
        for _ in range(players - 1):
            common = common & (rest % blocks)
            rest = rest // blocks
        for place in range(h):
            if (common >> place) % 2 == 1:
                table[seen] = place
                break
    return [table.copy() for _ in range(players)]


# EVOLVE-BLOCK-END
