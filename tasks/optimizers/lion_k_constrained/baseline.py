"""AdamW (Loshchilov and Hutter 2019) with a decoupled weight decay of 1 / radius, cut to the set at the end."""

import numpy as np

# EVOLVE-BLOCK-START
RATE = 0.02
FIRST = 0.9
SECOND = 0.99
EPSILON = 1e-8


def minimise(oracle, x0, N, groups, radius):
    x = x0
    m = np.zeros(x.size)
    v = np.zeros(x.size)
    for t in range(1, N + 1):
        g = oracle.grad(x)
        m = FIRST * m + (1.0 - FIRST) * g
        v = SECOND * v + (1.0 - SECOND) * g**2
        step = m / (1.0 - FIRST**t) / (np.sqrt(v / (1.0 - SECOND**t)) + EPSILON)
        rate = RATE * radius * (1.0 - (t - 1) / N)
        x = x - rate * (step + x / radius)
    lengths = np.sqrt(np.bincount(groups, weights=x**2))[groups]
    return x * np.minimum(1.0, radius / np.maximum(lengths, 1e-12))


# EVOLVE-BLOCK-END
