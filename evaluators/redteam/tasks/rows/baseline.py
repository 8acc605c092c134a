import numpy as np


# EVOLVE-BLOCK-START
def norms(X):
    out = np.zeros(len(X))
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            out[i] += X[i, j] * X[i, j]
    return out


# EVOLVE-BLOCK-END
