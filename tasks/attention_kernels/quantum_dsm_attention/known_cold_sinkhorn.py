"""Sinkhorn's normalisation at a lower temperature, with what is left rounded away (Altschuler, Weed, Rigollet 2017)."""

import numpy as np

TEMPERATURE = 0.2
ITERATIONS = 300


def normalise(A):
    K = np.exp((A - A.max(axis=2, keepdims=True)) / TEMPERATURE)
    u = v = np.ones((len(A), 8, 1))
    for _ in range(ITERATIONS):
        u = 1 / (K @ v)
        v = 1 / (K.transpose(0, 2, 1) @ u)
    D = u * K * v.transpose(0, 2, 1)
    D = D / np.maximum(D.sum(axis=2, keepdims=True), 1)
    D = D / np.maximum(D.sum(axis=1, keepdims=True), 1)
    rows, columns = (np.maximum(1 - D.sum(axis=axis, keepdims=True), 0) for axis in (2, 1))
    return D + rows * columns / np.maximum(rows.sum(axis=1, keepdims=True), 1e-300)
