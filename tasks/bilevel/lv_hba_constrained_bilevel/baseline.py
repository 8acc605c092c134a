"""Two loops: primal-dual steps on the lower level, then implicit differentiation of its conditions of optimality.

The adjoint system of the tight constraint is singular where the lower solution is not unique; conjugate gradients on
its normal equations come to the solution of the pseudo-inverse.
"""

import numpy as np

# EVOLVE-BLOCK-START
INNER = 10
LINEAR = 5
STEP = 0.1
RATE = 0.1
COST = INNER + 1 + 4 * LINEAR + 2


def solve(oracle, nx, ny, W, c, budget):
    x = np.zeros(nx)
    y = np.zeros(ny)
    lam = np.zeros(c.size)
    A = W[:, :nx]
    B = W[:, nx:]
    for _ in range(budget // COST):
        for _ in range(INNER):
            fy = oracle.df(x, y)[1]
            y = y - STEP * (fy + B.T @ lam)
            lam = np.maximum(lam + STEP * (A @ x + B @ y - c), 0.0)
        Fx, Fy = oracle.dF(x, y)
        u, w = adjoint(oracle, x, y, B, Fy)
        x = x - RATE * (Fx - oracle.hxy(x, y, u) - A.T @ w)
    return x


def adjoint(oracle, x, y, B, Fy):
    ny = y.size
    solution = np.zeros(ny + B.shape[0])
    rest = np.concatenate([Fy, np.zeros(B.shape[0])])
    direction = np.zeros(solution.size)
    last = 1.0
    for _ in range(LINEAR):
        slope = apply(oracle, x, y, B, rest)
        size = slope @ slope
        direction = slope + size / last * direction
        moved = apply(oracle, x, y, B, direction)
        share = size / (moved @ moved + 1e-30)
        solution = solution + share * direction
        rest = rest - share * moved
        last = size + 1e-30
    return solution[:ny], solution[ny:]


def apply(oracle, x, y, B, z):
    v = z[: y.size]
    return np.concatenate([oracle.hyy(x, y, v) + B.T @ z[y.size :], B @ v])


# EVOLVE-BLOCK-END
