"""Cyclic coordinate descent: each coordinate in turn takes its proximal step, the predictions are kept up to date."""

import numpy as np

# EVOLVE-BLOCK-START


def gap(A, y, lam, loss, x):
    z = A @ x
    if loss == "squared":
        theta = y - z
        theta = theta * min(1.0, lam / np.abs(A.T @ theta).max())
        primal = 0.5 * np.sum((z - y) ** 2) + lam * np.abs(x).sum()
        dual = 0.5 * np.sum(y**2) - 0.5 * np.sum((y - theta) ** 2)
        return (primal - dual) / (0.5 * np.sum(y**2))
    share = 1.0 / (1.0 + np.exp(y * z))
    share = share * min(1.0, lam / np.abs(A.T @ (y * share)).max())
    primal = np.logaddexp(0.0, -y * z).sum() + lam * np.abs(x).sum()
    dual = -np.sum(share * np.log(share) + (1.0 - share) * np.log(1.0 - share))
    return (primal - dual) / (len(y) * np.log(2.0))


def solve(A, y, lam, loss, tol):
    columns = np.ascontiguousarray(A.T)
    curvature = np.sum(columns**2, axis=1)
    if loss == "logistic":
        curvature = curvature / 4.0
    x = np.zeros(len(columns))
    z = np.zeros(len(y))
    while gap(A, y, lam, loss, x) > tol:
        for j in range(len(x)):
            column = columns[j]
            if loss == "squared":
                slope = column @ (z - y)
            else:
                slope = -(column @ (y / (1.0 + np.exp(y * z))))
            moved = x[j] - slope / curvature[j]
            new = np.sign(moved) * max(abs(moved) - lam / curvature[j], 0.0)
            if new != x[j]:
                z = z + (new - x[j]) * column
                x[j] = new
    return x


# EVOLVE-BLOCK-END
