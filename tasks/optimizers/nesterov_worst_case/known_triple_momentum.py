"""The triple momentum method (Van Scoy, Freeman and Lynch 2018), fastest for mu > 0; Nesterov's for mu = 0."""

import numpy as np


def minimise(oracle, x0, L, mu, N):
    x = previous = x0
    rho = 1 - np.sqrt(mu / L)
    step, beta = (1 + rho) / L, rho**2 / (2 - rho)
    gamma, delta = beta / (1 + rho), rho**2 / (1 - rho**2) if mu > 0 else 0.0
    for t in range(1, N + 1):
        if mu == 0:
            step, beta, gamma = 1 / L, (t - 1) / (t + 2), (t - 1) / (t + 2)
        y = x + gamma * (x - previous)
        previous, x = x, x + beta * (x - previous) - step * oracle.grad(y)
    return x + delta * (x - previous)
