"""Coordinate descent that mostly cycles over the coordinates that are not zero or should not be (as glmnet does)."""

import numpy as np

SWEEPS = 50
LOOSE = 1e-4


def slope_of(z, y, loss):
    return z - y if loss == "squared" else -y / (1.0 + np.exp(y * z))


def gap(z, g, y, lam, loss, x):
    slope, inside = slope_of(z, y, loss), min(1.0, lam / np.abs(g).max())
    if loss == "squared":
        fit, dual = 0.5 * np.sum(slope**2), 0.5 * np.sum(y**2) - 0.5 * np.sum((y + inside * slope) ** 2)
        return (fit + lam * np.abs(x).sum() - dual) / (0.5 * np.sum(y**2))
    share = -inside * y * slope
    dual = -np.sum(share * np.log(share) + (1 - share) * np.log1p(-share))
    return (np.logaddexp(0, -y * z).sum() + lam * np.abs(x).sum() - dual) / (len(y) * np.log(2))


def solve(A, y, lam, loss, tol):
    columns = np.ascontiguousarray(A.T)
    curvature = np.sum(columns**2, axis=1) * (0.25 if loss == "logistic" else 1.0)
    x, z = np.zeros(len(columns)), np.zeros(len(y))
    while True:
        g = columns @ slope_of(z, y, loss)
        if gap(z, g, y, lam, loss, x) <= tol:
            return x
        work = np.flatnonzero((x != 0) | (np.abs(g) >= lam))
        for _ in range(SWEEPS):
            largest = 0.0
            for j in work:
                moved = x[j] - columns[j] @ slope_of(z, y, loss) / curvature[j]
                new = np.sign(moved) * max(abs(moved) - lam / curvature[j], 0.0)
                largest = max(largest, abs(new - x[j]) * curvature[j])
                z = z + (new - x[j]) * columns[j]
                x[j] = new
            if largest < LOOSE * lam:
                break
