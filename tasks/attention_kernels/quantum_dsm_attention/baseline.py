"""Sinkhorn's normalisation of exp(A), rows and columns in turn (Sinkformer, Sander et al. 2022)."""

import numpy as np

# EVOLVE-BLOCK-START
TEMPERATURE = 1.0
ITERATIONS = 60


def normalise(A):
    K = np.exp((A - A.max(axis=(1, 2), keepdims=True)) / TEMPERATURE)
    u = v = np.ones((len(A), 8, 1))
    for _ in range(ITERATIONS):
        u = 1 / (K @ v)
        v = 1 / (K.transpose(0, 2, 1) @ u)
    return u * K * v.transpose(0, 2, 1)


# EVOLVE-BLOCK-END
