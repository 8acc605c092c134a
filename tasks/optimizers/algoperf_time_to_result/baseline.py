"""Heavy-ball momentum at a constant rate."""

import numpy as np

# EVOLVE-BLOCK-START
RATE = 0.1
MOMENTUM = 0.9
PERIOD = 8
LARGEST = 1e4


def train(oracle, x0, step_hint):
    x = x0
    m = np.zeros(x.size)
    for t in range(1, step_hint + 1):
        g = oracle.grad(x)
        m = MOMENTUM * m + g
        x = x - RATE * m
        if np.abs(x).max() > LARGEST:
            break
        if t % PERIOD == 0 and oracle.reached(x):
            break
    return x


# EVOLVE-BLOCK-END
