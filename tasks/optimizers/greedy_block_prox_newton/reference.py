"""Greedy block coordinate descent with matrix updates (Nutini, Laradji and Schmidt 2022).

The block is the 50 coordinates whose proximal step promises most (the rule GS-q: the largest
-(g_j d_j + L_j d_j^2 / 2 + lam (|x_j + d_j| - |x_j|))) together with all that are not zero (variable blocks, the
active-set part). On it the quadratic model plus the l1 norm is minimised by Newton steps on the coordinates that are
not held at zero, projected to their orthant (two-metric projection). Once the support is found this is Newton's
method, hence the superlinear end.
"""

import numpy as np

BLOCK = 50
INNER = 10


def solve(A, y, lam, loss, tol):
    rows = np.ascontiguousarray(A.T)
    lipschitz = np.einsum("ij,ij->i", rows, rows) * (0.25 if loss == "logistic" else 1.0)
    x, z = np.zeros(len(rows)), np.zeros(len(y))
    at_zero = fit(z, y, loss)[0]
    while True:
        value, slope, weight = fit(z, y, loss)
        value += lam * np.abs(x).sum()
        g = rows @ slope
        if value - dual(slope, g, y, lam, loss) <= tol * at_zero:
            return x
        block = greedy_block(x, g, lipschitz, lam)
        part = rows[block]
        step = newton(x[block], g[block], (part * weight) @ part.T, lam)
        change, share = step @ part, 1.0
        while True:
            near = x.copy()
            near[block] += share * step
            if share < 1e-6 or fit(z + share * change, y, loss)[0] + lam * np.abs(near).sum() <= value:
                break
            share /= 2
        x, z = near, z + share * change


def greedy_block(x, g, lipschitz, lam):
    moved = soft(x - g / lipschitz, lam / lipschitz)
    d = moved - x
    progress = -(g * d + lipschitz * d**2 / 2 + lam * (np.abs(moved) - np.abs(x)))
    best = np.argpartition(-progress, min(BLOCK, len(x)) - 1)[:BLOCK]
    return np.union1d(best[progress[best] > 0], np.flatnonzero(x))


def newton(x, g, hessian, lam):
    """The step that nearly minimises g d + d' H d / 2 + lam |x + d|_1."""
    u, tried, model = x, x, 0.0
    for _ in range(INNER):
        slope = g + hessian @ (u - x)
        steepest = np.where(u != 0, slope + lam * np.sign(u), soft(slope, lam))
        if np.abs(steepest).max() <= 1e-12 * lam:
            break
        orthant = np.where(u != 0, np.sign(u), -np.sign(steepest))
        direction, share, found = inward(u, steepest, orthant, hessian), 1.0, np.inf
        while share > 1e-6 and not found < model:
            tried = u + share * direction
            tried[tried * orthant < 0] = 0
            d = tried - x
            found = g @ d + d @ hessian @ d / 2 + lam * (np.abs(tried).sum() - np.abs(x).sum())
            share /= 2
        if not found < model:
            break
        u, model = tried, found
    return u - x


def inward(u, steepest, orthant, hessian):
    """Newton's direction on the coordinates that are free; one that would leave zero for the wrong side is held."""
    free = (u != 0) | (steepest != 0)
    while True:
        matrix = hessian[np.ix_(free, free)]
        matrix[np.diag_indices(len(matrix))] *= 1 + 1e-12
        direction = np.zeros(len(u))
        direction[free] = np.linalg.solve(matrix, -steepest[free])
        wrong = (u == 0) & (direction * orthant < 0)
        if not wrong.any():
            return direction
        free &= ~wrong


def soft(v, bound):
    return np.sign(v) * np.maximum(np.abs(v) - bound, 0)


def fit(z, y, loss):
    """Loss, its gradient and its curvature in the predictions z (n,)."""
    if loss == "squared":
        return 0.5 * np.sum((z - y) ** 2), z - y, np.ones(len(y))
    share = 1 / (1 + np.exp(y * z))
    return np.logaddexp(0, -y * z).sum(), -y * share, share * (1 - share)


def dual(slope, g, y, lam, loss):
    inside = min(1.0, lam / np.abs(g).max())
    if loss == "squared":
        return 0.5 * np.sum(y**2) - 0.5 * np.sum((y + inside * slope) ** 2)
    share = -inside * y * slope
    return -np.sum(share * np.log(share) + (1 - share) * np.log1p(-share))
