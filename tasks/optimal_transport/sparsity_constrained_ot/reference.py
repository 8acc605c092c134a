"""Sparsity-constrained transport (Liu, Puigcerver and Blondel 2023, section 4): k entries a column in the semi-dual.

max over alpha of a.alpha - sum_j h_j(alpha - c_j), h_j(s) = max {s.t - gamma/2 |t|^2 : t >= 0, sum t = b_j, at most k
entries of t not zero}. The maximiser keeps the k largest entries of s, divides by gamma and projects them on the
simplex of size b_j; it is the gradient of h_j, so that L-BFGS ascends the semi-dual.
"""

import numpy as np
from scipy.optimize import minimize

MOST_ITERATIONS = 200


def solve(C, a, b, gamma, k):
    def negative_dual(alpha):
        T = plan_of(alpha, C, b, gamma, k)
        value = a @ alpha - ((alpha[:, None] - C) * T).sum() + gamma / 2 * (T**2).sum()
        return -value, T.sum(axis=1) - a

    start = np.zeros(len(a))
    found = minimize(negative_dual, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_ITERATIONS})
    return plan_of(found.x, C, b, gamma, k)


def plan_of(alpha, C, b, gamma, k):
    """The maximiser t_j in each column: top k, then the projection on the simplex of size b_j."""
    scores = alpha[:, None] - C
    largest = np.argpartition(-scores, k - 1, axis=0)[:k]
    T = np.zeros_like(C)
    np.put_along_axis(T, largest, project(np.take_along_axis(scores, largest, 0) / gamma, b), axis=0)
    return T


def project(V, sizes):
    ordered = -np.sort(-V, axis=0)
    thresholds = (np.cumsum(ordered, axis=0) - sizes) / np.arange(1, len(V) + 1)[:, None]
    last = (ordered > thresholds).sum(axis=0) - 1
    return np.maximum(V - thresholds[last, np.arange(V.shape[1])], 0)
