"""Adam whose every step is followed by cutting each group to its length."""

import numpy as np

RATE = 0.02


def minimise(oracle, x0, N, groups, radius):
    x, m, v = x0.copy(), np.zeros(x0.size), np.zeros(x0.size)
    for t in range(1, N + 1):
        g = oracle.grad(x)
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
        x = x - RATE * radius * (1 - (t - 1) / N) * step
        x = x * np.minimum(1, radius / np.maximum(np.sqrt(np.bincount(groups, weights=x**2))[groups], 1e-12))
    return x
