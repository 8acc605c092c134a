"""Sinkhorn-Newton-Sparse (Tang, Shavlovsky, Rahmanian, Tardini, Thekumparampil, Xiao and Ying 2024, Algorithm 1).

The dual potential f(x, y) = a.x + b.y - eps sum_ij P_ij with P = exp((x_i + y_j - C_ij)/eps) is concave, with gradient
(a - P1, b - P'1) and Hessian -(1/eps) [[diag P1, P], [P', diag P'1]]. Sinkhorn iterations warm up; then come Newton
steps whose Hessian keeps only the largest entries of P (and the exact diagonal), solved by conjugate gradients on the
Schur complement in y, with backtracking on f. Where backtracking fails, Sinkhorn iterations follow again.
"""

import numpy as np
from scipy.sparse import csr_matrix

WARM = 1e-2
PER_ROW = 20
SAFETY = 0.9
LARGEST_LOG = 50.0
RIDGE = 1e-14


def solve(C, a, b, eps, tol):
    x = C.min(axis=1)
    y = (C - x[:, None]).min(axis=0)
    x, y = sinkhorn(C, a, b, eps, x, y, WARM, most=100_000)
    P = plan(C, eps, x, y)
    while True:
        gx, gy = a - P.sum(axis=1), b - P.sum(axis=0)
        error = np.abs(gx).sum() + np.abs(gy).sum()
        if error < SAFETY * tol:
            return x, y
        dx, dy = newton_direction(P, gx, gy, eps, min(1e-2, error))
        moved = line_search(C, a, b, eps, x, y, P, dx, dy, gx, gy, error)
        if moved is None:
            x, y = sinkhorn(C, a, b, eps, x, y, 0.3 * error, most=100)
            P = plan(C, eps, x, y)
        else:
            x, y, P = moved


def plan(C, eps, x, y):
    with np.errstate(over="ignore"):
        return np.exp((x[:, None] + y[None, :] - C) / eps)


def sinkhorn(C, a, b, eps, x, y, target, most):
    K = plan(C, eps, x, y)
    u, v = np.ones_like(a), np.ones_like(b)
    for _ in range(most // 10):
        for _ in range(10):
            u = a / (K @ v)
            v = b / (K.T @ u)
        if max(np.abs(np.log(u)).max(), np.abs(np.log(v)).max()) > LARGEST_LOG:
            x, y = x + eps * np.log(u), y + eps * np.log(v)
            K = plan(C, eps, x, y)
            u, v = np.ones_like(a), np.ones_like(b)
        elif np.abs(u * (K @ v) - a).sum() < target:
            break
    return x + eps * np.log(u), y + eps * np.log(v)


def newton_direction(P, gx, gy, eps, rtol):
    r, c = P.sum(axis=1), P.sum(axis=0)
    S = largest_entries(P)
    St = S.T.tocsr()
    scale = 1.0 / np.sqrt(c)

    def schur(z):
        return (1.0 + RIDGE) * z - scale * (St @ ((S @ (scale * z)) / r))

    dy = scale * conjugate_gradients(schur, scale * (gy - St @ (gx / r)), rtol)
    dx = (gx - S @ dy) / r
    return eps * dx, eps * dy


def largest_entries(P):
    n, m = P.shape
    flat = P.ravel()
    keep = min(PER_ROW * max(n, m), n * m)
    kept = np.flatnonzero(flat >= np.partition(flat, n * m - keep)[n * m - keep])
    return csr_matrix((flat[kept], (kept // m, kept % m)), shape=P.shape)


def conjugate_gradients(product, rhs, rtol):
    z = np.zeros_like(rhs)
    residual = rhs.copy()
    p = rhs.copy()
    square = residual @ residual
    stop = rtol**2 * square
    for _ in range(len(rhs)):
        if square <= stop:
            break
        q = product(p)
        alpha = square / (p @ q)
        z += alpha * p
        residual -= alpha * q
        before, square = square, residual @ residual
        p = residual + (square / before) * p
    return z


def line_search(C, a, b, eps, x, y, P, dx, dy, gx, gy, error):
    """The first of 1, 1/2, 1/4, ... that raises f enough, or (f saturates in floating point) lowers the error."""
    value = a @ x + b @ y - eps * P.sum()
    slope = gx @ dx + gy @ dy
    alpha = 1.0
    for _ in range(8):
        nx, ny = x + alpha * dx, y + alpha * dy
        Q = plan(C, eps, nx, ny)
        rises = a @ nx + b @ ny - eps * Q.sum() >= value + 0.1 * alpha * slope
        falls = np.abs(a - Q.sum(axis=1)).sum() + np.abs(b - Q.sum(axis=0)).sum() < (1 - 0.3 * alpha) * error
        if rises or falls:
            return nx, ny, Q
        alpha *= 0.5
    return None
