"""Auxiliary-loss-free balancing as it is used: a constant step in the direction of the sign (Wang et al. 2024)."""

import numpy as np

# EVOLVE-BLOCK-START
RATE = 0.01


def balance(oracle, E, k, tokens, steps):
    p = np.zeros(E)
    target = tokens * k / E
    for step in range(steps):
        load = oracle.route(p)
        error = target - load
        p = p + RATE * np.sign(error)


# EVOLVE-BLOCK-END
