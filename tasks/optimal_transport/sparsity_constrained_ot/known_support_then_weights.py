"""The places are those of the cut quadratic plan; the weights at these places then get a semi-dual of their own.

So the balance that the cut has broken is mended, but the places do not change any more.
"""

import numpy as np
from scipy.optimize import minimize

MOST_ITERATIONS = 200


def solve(C, a, b, gamma, k):
    quadratic = plan_of(ascended(C, a, b, gamma), C, b, gamma)
    places = np.argpartition(-quadratic, k - 1, axis=0)[:k]
    allowed = np.full_like(C, 1e3)
    np.put_along_axis(allowed, places, np.take_along_axis(C, places, 0), axis=0)
    T = plan_of(ascended(allowed, a, b, gamma), allowed, b, gamma)
    kept = np.zeros_like(T)
    np.put_along_axis(kept, places, np.take_along_axis(T, places, 0), axis=0)
    return kept * (b / kept.sum(axis=0))


def ascended(C, a, b, gamma):
    def negative_dual(alpha):
        T = plan_of(alpha, C, b, gamma)
        return ((alpha[:, None] - C) * T).sum() - gamma / 2 * (T**2).sum() - a @ alpha, T.sum(axis=1) - a

    return minimize(
        negative_dual, np.zeros(len(a)), jac=True, method="L-BFGS-B", options={"maxiter": MOST_ITERATIONS}
    ).x


def plan_of(alpha, C, b, gamma):
    V = (alpha[:, None] - C) / gamma
    ordered = -np.sort(-V, axis=0)
    thresholds = (np.cumsum(ordered, axis=0) - b) / np.arange(1, len(V) + 1)[:, None]
    last = (ordered > thresholds).sum(axis=0) - 1
    return np.maximum(V - thresholds[last, np.arange(V.shape[1])], 0)
