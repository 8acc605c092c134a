"""Adam at a constant rate."""

import numpy as np

RATE = 0.03


def train(oracle, x0, step_hint):
    x, m, v = x0.copy(), np.zeros(x0.size), np.zeros(x0.size)
    for t in range(1, step_hint + 1):
        g = oracle.grad(x)
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        x = x - RATE * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
        if t % 8 == 0 and oracle.reached(x):
            break
    return x
