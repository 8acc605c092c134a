"""Nesterov's method: the gradient is taken where momentum carries (Nesterov 2004, schemes 2.2.11 and 2.2.17).

y = x_t + b (x_t - x_{t-1}), x_{t+1} = y - grad f(y) / L, with b = (sqrt k - 1) / (sqrt k + 1), k = L / mu, or
b = (t - 1) / (t + 2) where mu = 0. The paper reads the step as the discretisation of two coupled flows in which this
point adds the damping by curvature that the heavy ball lacks.
"""

import numpy as np


def minimise(oracle, x0, L, mu, N):
    x = previous = x0
    root = np.sqrt(L / mu) if mu > 0 else None
    for t in range(1, N + 1):
        momentum = (t - 1) / (t + 2) if root is None else (root - 1) / (root + 1)
        y = x + momentum * (x - previous)
        previous, x = x, y - oracle.grad(y) / L
    return x
