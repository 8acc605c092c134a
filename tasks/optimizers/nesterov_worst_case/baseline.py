"""The heavy ball (Polyak 1964) with the best constants for quadratics; gradient descent where mu is 0."""

import numpy as np

# EVOLVE-BLOCK-START
STEP = 4.0
PLAIN_STEP = 1.0


def minimise(oracle, x0, L, mu, N):
    x = x0
    previous = x0
    for _ in range(N):
        if mu > 0:
            root = np.sqrt(L / mu)
            momentum = ((root - 1.0) / (root + 1.0)) ** 2
            step = STEP / (np.sqrt(L) + np.sqrt(mu)) ** 2
        else:
            momentum = 0.0
            step = PLAIN_STEP / L
        g = oracle.grad(x)
        moved = x - step * g + momentum * (x - previous)
        previous = x
        x = moved
    return x


# EVOLVE-BLOCK-END
