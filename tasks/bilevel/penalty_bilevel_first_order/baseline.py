"""Approximate implicit differentiation: warm-started descent on y, a linear system by Richardson steps, a step on x."""

import numpy as np

# EVOLVE-BLOCK-START
INNER = 10
LINEAR = 10
RATE = 0.1
COST = INNER + 1 + 2 * LINEAR + 2


def solve(oracle, nx, ny, y0, Lg, budget):
    x = np.zeros(nx)
    y = y0
    v = np.zeros(ny)
    for _ in range(budget // COST):
        for _ in range(INNER):
            gy = oracle.dg(x, y)[1]
            y = y - gy / Lg
        fx, fy = oracle.df(x, y)
        for _ in range(LINEAR):
            v = v + (fy - oracle.hyy(x, y, v)) / Lg
        x = x - RATE * (fx - oracle.hxy(x, y, v))
    return x


# EVOLVE-BLOCK-END
