"""Quadratically regularised transport by its semi-dual (Blondel, Seguy and Rolet 2018), cut to k entries a column.

max over alpha of a.alpha - sum_j max {s.t - gamma/2 |t|^2 : t >= 0, sum t = b_j} with s = alpha - c_j, by L-BFGS.
"""

import numpy as np
from scipy.optimize import minimize

# EVOLVE-BLOCK-START
MOST_ITERATIONS = 200


def project(V, sizes):
    """Nearest point to each column of V with entries >= 0 that sum to its size."""
    ordered = -np.sort(-V, axis=0)
    thresholds = (np.cumsum(ordered, axis=0) - sizes) / np.arange(1, len(V) + 1)[:, None]
    last = (ordered > thresholds).sum(axis=0) - 1
    return np.maximum(V - thresholds[last, np.arange(V.shape[1])], 0)


def plan_of(alpha, C, b, gamma):
    return project((alpha[:, None] - C) / gamma, b)


def cut(T, b, k):
    smallest = np.argpartition(-T, k, axis=0)[k:]
    T = T.copy()
    np.put_along_axis(T, smallest, 0.0, axis=0)
    return T * (b / T.sum(axis=0))


def solve(C, a, b, gamma, k):
    def negative_dual(alpha):
        T = plan_of(alpha, C, b, gamma)
        value = a @ alpha - ((alpha[:, None] - C) * T).sum() + gamma / 2 * (T**2).sum()
        return -value, T.sum(axis=1) - a

    start = np.zeros(len(a))
    found = minimize(negative_dual, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_ITERATIONS})
    return cut(plan_of(found.x, C, b, gamma), b, k)


# EVOLVE-BLOCK-END
