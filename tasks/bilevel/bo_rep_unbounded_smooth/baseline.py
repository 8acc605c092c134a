"""A single loop (as SOBA, Dagreou et al. 2022): one step each on y, on the linear system and, with momentum, on x.

The rate is constant; where x runs away from x0, everything starts again at a tenth of it.
"""

import numpy as np

# EVOLVE-BLOCK-START
RATE = 1.0
MOMENTUM = 0.9
FURTHEST = 30.0
COST = 4


def solve(oracle, x0, ny, mu, Lg, budget):
    rate = RATE
    x = x0
    y = np.zeros(ny)
    v = np.zeros(ny)
    m = np.zeros(x0.size)
    for _ in range(budget // COST):
        y = y - 0.5 / Lg * oracle.gy(x, y)
        fx, fy = oracle.df(x, y)
        v = v - 0.5 / Lg * (oracle.hyy(x, y, v) - fy)
        v = np.clip(v, -1e5, 1e5)
        m = MOMENTUM * m + (1.0 - MOMENTUM) * (fx - oracle.hxy(x, y, v))
        x = x - rate * m
        if np.linalg.norm(x - x0) > FURTHEST:
            rate = rate / 10.0
            x = x0
            v = np.zeros(ny)
            m = np.zeros(x0.size)
    return x


# EVOLVE-BLOCK-END
