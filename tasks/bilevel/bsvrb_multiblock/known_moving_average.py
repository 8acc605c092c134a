"""A single loop with moving averages: one step a block on y and v, the hypergradient averaged, one point a sample."""

import numpy as np

LOWER = 0.3
RATE = 0.004
COST = 6


def solve(oracle, nx, ny, m, k, budget, seed):
    rng = np.random.default_rng(seed)
    x, y, v, z = np.zeros(nx), np.zeros((m, ny)), np.zeros((m, ny)), np.zeros(nx)
    steps = budget // COST
    for t in range(steps):
        decay = 1 - t / steps
        blocks = rng.choice(m, k, replace=False)
        oracle.sample(blocks)
        gy, fx, fy, hyy, hxy = oracle.derivatives(x, y[blocks], v[blocks])
        y[blocks] -= LOWER * decay * gy
        v[blocks] -= LOWER * decay * (hyy - fy)
        z = 0.9 * z + 0.1 * (fx - hxy.mean(axis=0))
        x = x - RATE * decay * z
    return x
