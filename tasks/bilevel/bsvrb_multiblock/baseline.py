"""Two loops (as stocBiO, Ji, Yang and Liang 2021): fresh steps on the sampled y, a Neumann series, a step on x.

The series sum over q of (1 - eta H)^q eta df/dy takes a fresh sample in every term.
"""

import numpy as np

# EVOLVE-BLOCK-START
INNER = 5
TERMS = 5
LOWER = 0.3
SERIES = 0.4
RATE = 0.04
COST = 2 * INNER + 2 * TERMS + 11


def solve(oracle, nx, ny, m, k, budget, seed):
    rng = np.random.default_rng(seed)
    x = np.zeros(nx)
    y = np.zeros((m, ny))
    steps = budget // COST
    for t in range(steps):
        decay = 1.0 - t / steps
        blocks = rng.choice(m, k, replace=False)
        for _ in range(INNER):
            oracle.sample(blocks)
            y[blocks] = y[blocks] - LOWER * decay * oracle.gy(x, y[blocks])
        oracle.sample(blocks)
        term = SERIES * oracle.derivatives(x, y[blocks], y[blocks])[2]
        v = term
        for _ in range(TERMS):
            oracle.sample(blocks)
            term = term - SERIES * oracle.hyy(x, y[blocks], term)
            v = v + term
        found = oracle.derivatives(x, y[blocks], v)
        x = x - RATE * decay * (found[1] - found[4].mean(axis=0))
    return x


# EVOLVE-BLOCK-END
