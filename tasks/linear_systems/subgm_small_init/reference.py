"""SubGM with small initialisation (Ma and Fattahi 2023, Global Convergence of Sub-gradient Method, Algorithm 1).

U_0 is a tiny multiple of an orthonormal matrix. With D = (1/m) sum_i sign(<A_i, U U'> - y_i) A_i every iteration is
U <- U - eta_t D U, with steps eta_t that fall geometrically. The directions of the truth grow out of the start one
after another, while what exceeds the true rank stays of the order of the start however loose the bound on the rank is.
"""

import numpy as np

START = 1e-4
STEP = 0.5
SHRINKAGE = 0.985
ITERATIONS = 400


def recover(A, y, rank_bound, seed):
    m, d, _ = A.shape
    flat = A.reshape(m, d * d)
    orthonormal = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, rank_bound)))[0]
    U = START * np.sqrt(np.median(np.abs(y))) * orthonormal
    for t in range(ITERATIONS):
        signs = np.sign(flat @ (U @ U.T).ravel() - y)
        D = (signs @ flat).reshape(d, d) / m
        U = U - STEP * SHRINKAGE**t * D @ U
    return U @ U.T
