"""The single loop with its hypergradient clipped to a given length, and a rate that falls to zero."""

import numpy as np

LENGTH = 1.0
RATE = 0.3


def solve(oracle, x0, ny, mu, Lg, budget):
    x, y, v, m = x0.copy(), np.zeros(ny), np.zeros(ny), np.zeros(x0.size)
    for t in range(budget // 4):
        y = y - 0.5 / Lg * oracle.gy(x, y)
        fx, fy = oracle.df(x, y)
        v = v - 0.5 / Lg * (oracle.hyy(x, y, v) - fy)
        h = fx - oracle.hxy(x, y, v)
        m = 0.9 * m + 0.1 * h * min(1.0, LENGTH / (np.linalg.norm(h) + 1e-12))
        x = x - RATE * (1 - 4 * t / budget) * m
    return x
