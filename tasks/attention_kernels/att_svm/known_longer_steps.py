"""Normalised gradient descent whose steps grow, so that it goes as far as a training of many more steps."""

import numpy as np

FIRST, LAST = 0.1, 2.0


def predict(oracle, X, z, calls):
    d = X.shape[2]
    W = np.zeros((d, d))
    for step in np.geomspace(FIRST, LAST, calls):
        W = W - step * oracle.direction(W)
    return W
