"""The definition in single precision: exponentials and products cost half."""

import numpy as np


def attend(Q, K1, K2, V1, V2):
    n, d = Q.shape
    Q, K1, K2, V1, V2 = (matrix.astype(np.float32) for matrix in (Q / d, K1, K2, V1, V2))
    K2 = np.ascontiguousarray(K2.T)
    output = np.zeros((n, d))
    for i in range(n):
        weights = (K1 * Q[i]) @ K2
        np.exp(weights, out=weights)
        output[i] = (V1 * (weights @ V2)).sum(axis=0) / weights.sum()
    return output
