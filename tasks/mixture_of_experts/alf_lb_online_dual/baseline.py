"""Loss-free balancing (Wang et al. 2024): the bias of an overloaded expert falls by a constant, else it rises by it."""

import numpy as np

# EVOLVE-BLOCK-START
STEP = 0.01


def balance(oracle, E, k, tokens, steps):
    target = tokens * k / E
    p = np.zeros(E)
    for _ in range(steps):
        load = oracle.route(p)
        p = p + STEP * np.sign(target - load)


# EVOLVE-BLOCK-END
