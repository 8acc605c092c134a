"""Primal-dual steps of diminishing size (paper, section 4): p <- p + eps_n (L - A_n) / N with eps_n = u / (n + n0).

The regret is logarithmic when u is at least half the inverse of the strong convexity; the mean of p does not matter
and is kept at zero.
"""

import numpy as np

U = 8.0
N0 = 10.0


def balance(oracle, E, k, tokens, steps):
    p = np.zeros(E)
    target = tokens * k / E
    for n in range(steps):
        load = oracle.route(p)
        p = p + U / (n + N0) * (target - load) / tokens
        p = p - p.mean()
