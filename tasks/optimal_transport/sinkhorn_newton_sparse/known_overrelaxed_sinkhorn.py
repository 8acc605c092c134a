"""Overrelaxed Sinkhorn (Thibault, Chizat, Dossal and Papadakis 2021; Lehmann et al. 2022).

Scalings are extrapolated, u <- u^(1-w) (a/Kv)^w. The linear rate s of plain Sinkhorn is measured first; the optimal
parameter is then w = 2/(1 + sqrt(1 - s)), as in successive overrelaxation. A growing error takes w back towards 1.
"""

import numpy as np

CHECK_EVERY = 20
LARGEST_LOG = 50.0
SAFETY = 0.9
LARGEST_OMEGA = 1.98


def solve(C, a, b, eps, tol):
    x = C.min(axis=1)
    y = (C - x[:, None]).min(axis=0)
    K = np.exp((x[:, None] + y[None, :] - C) / eps)
    u, v = np.ones_like(a), np.ones_like(b)
    omega, errors, best = 1.0, [], np.inf
    while True:
        for _ in range(CHECK_EVERY):
            u = u * (a / (K @ v) / u) ** omega
            v = v * (b / (K.T @ u) / v) ** omega
        if max(np.abs(np.log(u)).max(), np.abs(np.log(v)).max()) > LARGEST_LOG:
            x, y = x + eps * np.log(u), y + eps * np.log(v)
            K = np.exp((x[:, None] + y[None, :] - C) / eps)
            u, v = np.ones_like(a), np.ones_like(b)
        error = np.abs(u * (K @ v) - a).sum() + np.abs(v * (K.T @ u) - b).sum()
        if error < SAFETY * tol:
            return x + eps * np.log(u), y + eps * np.log(v)
        errors.append(error)
        if omega == 1.0:
            omega = settled_omega(errors)
            best = error
        elif error > 10 * best:
            omega, errors = 1.0, [error]
        best = min(best, error)


def settled_omega(errors):
    """The optimal parameter once two successive rates agree within 15 %, else 1."""
    if len(errors) < 3 or errors[-1] >= errors[-2] or errors[-2] >= errors[-3]:
        return 1.0
    rate = (errors[-1] / errors[-2]) ** (1 / CHECK_EVERY)
    before = (errors[-2] / errors[-3]) ** (1 / CHECK_EVERY)
    if abs(before - rate) > 0.15 * (1 - rate):
        return 1.0
    return min(2 / (1 + np.sqrt(1 - rate)), LARGEST_OMEGA)
