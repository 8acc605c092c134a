"""Adam whose step size is in the parameters' unit: |g| over the curvature along g, probed once at the start."""

import numpy as np

RATE = 1.0
FIRST = 0.9
SECOND = 0.999


def minimise(oracle, x0, budget):
    x, m, v = x0.copy(), np.zeros(x0.size), np.zeros(x0.size)
    g = oracle.grad(x)
    unit = (g @ g) / abs(g @ oracle.hvp(x, g)) * np.sqrt(np.mean(g**2))
    steps = budget - 3
    for t in range(1, steps + 1):
        m = FIRST * m + (1 - FIRST) * g
        v = SECOND * v + (1 - SECOND) * g**2
        x = x - RATE * unit * (1 - (t - 1) / steps) * (m / (1 - FIRST**t)) / (np.sqrt(v / (1 - SECOND**t)) + 1e-30)
        g = oracle.grad(x) if t < steps else g
    return x
