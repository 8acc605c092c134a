"""The baseline with at most four columns, whatever the bound on the rank: right where the rank is known to be small."""

import numpy as np

COLUMNS = 4
STEP = 0.25
SHRINKAGE = 0.985
ITERATIONS = 400


def recover(A, y, rank_bound, seed):
    m, d, _ = A.shape
    flat = A.reshape(m, d * d)
    columns = min(rank_bound, COLUMNS)
    U = np.sqrt(np.median(np.abs(y)) / d) * np.random.default_rng(seed).normal(size=(d, columns))
    for t in range(ITERATIONS):
        weights = np.sign(flat @ (U @ U.T).ravel() - y)
        U = U - STEP * SHRINKAGE**t * 2 * (weights @ flat).reshape(d, d) / m @ U
    return U @ U.T
