"""The standard method; what stands between the markers may change."""

import numpy as np


# EVOLVE-BLOCK-START
def estimate(X):
    rows, draws = X.shape
    weights = np.full(draws, 1.0 / draws)
    centre = X @ weights
    for step in range(3):
        distance = np.abs(X - centre[:, None])
        weight = 1.0 / (1e6 + distance)
        centre = np.sum(weight * X, axis=1) / np.sum(weight, axis=1)
    return centre


# EVOLVE-BLOCK-END
