"""Sinkhorn-Newton-Sparse (Tang et al. 2024, Algorithm 1), with the sparse Hessian as lists of places.

After a Sinkhorn warm start come Newton steps on the dual whose Hessian keeps the largest entries of the plan and the
exact diagonal, solved by conjugate gradients on the Schur complement in y, with backtracking on the error.
"""

import torch

WARM = 1e-2
PER_ROW = 20
SAFETY = 0.9
LARGEST_LOG = 50.0
RIDGE = 1e-14


def solve(C, a, b, eps, tol):
    x = C.amin(dim=1)
    y = (C - x[:, None]).amin(dim=0)
    x, y = sinkhorn(C, a, b, eps, x, y, WARM, 100_000)
    while True:
        P = plan(C, eps, x, y)
        error = violation(P, a, b)
        if error < SAFETY * tol:
            return x, y
        dx, dy = newton_direction(P, a - P.sum(1), b - P.sum(0), eps, min(1e-2, error))
        for alpha in (1.0, 0.5, 0.25, 0.125):
            if violation(plan(C, eps, x + alpha * dx, y + alpha * dy), a, b) < (1 - 0.3 * alpha) * error:
                x, y = x + alpha * dx, y + alpha * dy
                break
        else:
            x, y = sinkhorn(C, a, b, eps, x, y, 0.3 * error, 100)


def plan(C, eps, x, y):
    return torch.exp((x[:, None] + y - C) / eps)


def violation(P, a, b):
    return float((P.sum(1) - a).abs().sum() + (P.sum(0) - b).abs().sum())


def sinkhorn(C, a, b, eps, x, y, target, most):
    K = plan(C, eps, x, y)
    u, v = torch.ones_like(a), torch.ones_like(b)
    for _ in range(most // 10):
        for _ in range(10):
            u = a / (K @ v)
            v = b / (K.T @ u)
        if float(torch.cat([u.log().abs(), v.log().abs()]).max()) > LARGEST_LOG:
            x, y = x + eps * u.log(), y + eps * v.log()
            K = plan(C, eps, x, y)
            u, v = torch.ones_like(a), torch.ones_like(b)
        elif float((u * (K @ v) - a).abs().sum()) < target:
            break
    return x + eps * u.log(), y + eps * v.log()


def newton_direction(P, gx, gy, eps, rtol):
    n, m = P.shape
    r, scale = P.sum(1), P.sum(0).rsqrt()
    values, places = P.flatten().topk(min(PER_ROW * max(n, m), n * m), sorted=False)
    rows, columns = places // m, places % m

    def times(z):
        return torch.zeros_like(r).index_add_(0, rows, values * z[columns])

    def transposed(z):
        return torch.zeros_like(scale).index_add_(0, columns, values * z[rows])

    def schur(z):
        return (1.0 + RIDGE) * z - scale * transposed(times(scale * z) / r)

    dy = scale * conjugate_gradients(schur, scale * (gy - transposed(gx / r)), rtol)
    return eps * (gx - times(dy)) / r, eps * dy


def conjugate_gradients(product, rhs, rtol):
    """The residual is looked at every tenth step only: a look makes the host wait for the device."""
    z, residual, p = torch.zeros_like(rhs), rhs.clone(), rhs.clone()
    square = residual @ residual
    stop = rtol**2 * float(square)
    for step in range(len(rhs)):
        if step % 10 == 0 and float(square) <= stop:
            break
        q = product(p)
        alpha = square / (p @ q)
        z += alpha * p
        residual -= alpha * q
        before, square = square, residual @ residual
        p = residual + (square / before.clamp_min(1e-300)) * p
    return z
