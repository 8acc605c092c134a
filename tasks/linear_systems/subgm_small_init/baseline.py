"""Sub-gradient descent on the mean absolute residual of a factorisation U U', from a random start of order one."""

import numpy as np

# EVOLVE-BLOCK-START
START = 1.0
STEP = 0.25
SHRINKAGE = 0.985
ITERATIONS = 400


def recover(A, y, rank_bound, seed):
    m, d, _ = A.shape
    rng = np.random.default_rng(seed)
    flat = A.reshape(m, d * d)
    scale = np.median(np.abs(y))
    U = START * np.sqrt(scale / d) * rng.normal(size=(d, rank_bound))
    step = STEP
    for _ in range(ITERATIONS):
        residual = flat @ (U @ U.T).ravel() - y
        weights = np.sign(residual)
        G = (weights @ flat).reshape(d, d) / m
        U = U - step * 2.0 * G @ U
        step = step * SHRINKAGE
    return U @ U.T


# EVOLVE-BLOCK-END
