"""Adam at half the given rate."""

import numpy as np


def train(oracle, x0, N, lr):
    x, m, v = x0.copy(), np.zeros(x0.size), np.zeros(x0.size)
    for t in range(1, N + 1):
        g = oracle.grad(x)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - lr / 2 * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return x
