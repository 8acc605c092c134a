"""Truncated training: normalised gradient descent for as many steps as may be asked for."""

import numpy as np

# EVOLVE-BLOCK-START
STEP = 0.1


def predict(oracle, X, z, calls):
    d = X.shape[2]
    W = np.zeros((d, d))
    for _ in range(calls):
        W = W - STEP * oracle.direction(W)
    return W


# EVOLVE-BLOCK-END
