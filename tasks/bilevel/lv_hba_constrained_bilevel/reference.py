"""LV-HBA (Yao, Yin, Zeng and Zhang 2024, Algorithm 1): a single loop on a smoothed Lagrangian value function.

v(x, y, z) = min over theta, max over lambda >= 0 of f(x, theta) + lambda'(W (x, theta) - c) + |theta - y|^2 / (2 g1)
- |lambda - z|^2 / (2 g2) is smooth, and f(x, y) - v(x, y, z) <= 0 on W (x, y) <= c says that y solves the lower level.
Each iteration takes one step on theta and lambda and one projected step on (x, y) down F / c_k + f - v with a growing
c_k, and moves z towards lambda. No second derivatives.
"""

import numpy as np

STEP = 0.3
"""In units of one over the norm of the constraint's coefficients."""
GAMMA1, GAMMA2 = 10.0, 1.0
FIRST, POWER = 1.0, 0.3
LARGEST_MULTIPLIER = 50.0
COST = 4


def solve(oracle, nx, ny, W, c, budget):
    x, y, theta = np.zeros(nx), np.zeros(ny), np.zeros(ny)
    lam, z = np.zeros(c.size), np.zeros(c.size)
    A, B = W[:, :nx], W[:, nx:]
    inverse, step = np.linalg.pinv(W @ W.T), STEP / np.linalg.norm(W)
    for k in range(budget // COST):
        weight = 1 / (FIRST * (k + 1) ** POWER)
        fy = oracle.df(x, theta)[1]
        slack = A @ x + B @ theta - c
        theta = theta - step * (fy + B.T @ lam + (theta - y) / GAMMA1)
        lam = np.maximum(lam + step * (slack - (lam - z) / GAMMA2), 0)
        Fx, Fy = oracle.dF(x, y)
        fx, fy = oracle.df(x, y)
        dx = weight * Fx + fx - oracle.df(x, theta)[0] - A.T @ lam
        dy = weight * Fy + fy - (y - theta) / GAMMA1
        moved = np.concatenate([x - step * dx, y - step * dy])
        moved = moved - W.T @ (inverse @ np.maximum(W @ moved - c, 0))
        x, y = moved[:nx], moved[nx:]
        z = np.clip(z + step * (lam - z) / GAMMA2, 0, LARGEST_MULTIPLIER)
    return x
