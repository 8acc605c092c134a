"""The baseline's two loops, with lower steps that lean towards F, less and less, so that y comes to F's choice."""

import numpy as np

INNER = 10
STEP = 0.1
RATE = 0.1
FIRST, LAST = 0.3, 0.01
COST = 2 * INNER + 1 + 20 + 2


def solve(oracle, nx, ny, W, c, budget):
    x, y, lam = np.zeros(nx), np.zeros(ny), np.zeros(c.size)
    A, B = W[:, :nx], W[:, nx:]
    rounds = budget // COST
    for t in range(rounds):
        lean = FIRST * (LAST / FIRST) ** (t / rounds)
        for _ in range(INNER):
            y = y - STEP * (oracle.df(x, y)[1] + lean * oracle.dF(x, y)[1] + B.T @ lam)
            lam = np.maximum(lam + STEP * (A @ x + B @ y - c), 0)
        Fx, Fy = oracle.dF(x, y)
        u, w = adjoint(oracle, x, y, B, Fy)
        x = x - RATE * (Fx - oracle.hxy(x, y, u) - A.T @ w)
    return x


def adjoint(oracle, x, y, B, Fy):
    def apply(z):
        return np.concatenate([oracle.hyy(x, y, z[: y.size]) + B.T @ z[y.size :], B @ z[: y.size]])

    rest = np.concatenate([Fy, np.zeros(len(B))])
    solution, direction, last = np.zeros(rest.size), np.zeros(rest.size), 1.0
    for _ in range(5):
        slope = apply(rest)
        size = slope @ slope
        direction = slope + size / last * direction
        moved = apply(direction)
        share = size / (moved @ moved + 1e-30)
        solution, rest, last = solution + share * direction, rest - share * moved, size + 1e-30
    return solution[: y.size], solution[y.size :]
