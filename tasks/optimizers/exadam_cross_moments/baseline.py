"""Adam (Kingma and Ba 2015) at the given rate, with its published constants."""

import numpy as np

# EVOLVE-BLOCK-START
FIRST = 0.9
SECOND = 0.999
EPSILON = 1e-8


def train(oracle, x0, N, lr):
    x = x0
    m = np.zeros(x.size)
    v = np.zeros(x.size)
    for t in range(1, N + 1):
        g = oracle.grad(x)
        m = FIRST * m + (1.0 - FIRST) * g
        v = SECOND * v + (1.0 - SECOND) * g**2
        mean = m / (1.0 - FIRST**t)
        scale = np.sqrt(v / (1.0 - SECOND**t)) + EPSILON
        x = x - lr * mean / scale
    return x


# EVOLVE-BLOCK-END
