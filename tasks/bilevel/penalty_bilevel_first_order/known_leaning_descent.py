"""The baseline whose descent on y leans towards f, less and less, so that y reaches the solution that f likes best."""

import numpy as np

INNER = 10
LINEAR = 5
RATE = 0.1
FIRST, LAST = 0.3, 0.001
COST = 2 * INNER + 1 + 2 * LINEAR + 2


def solve(oracle, nx, ny, y0, Lg, budget):
    x, y, v = np.zeros(nx), y0.copy(), np.zeros(ny)
    rounds = budget // COST
    for t in range(rounds):
        lean = FIRST * (LAST / FIRST) ** (t / rounds)
        for _ in range(INNER):
            y = y - (oracle.dg(x, y)[1] + lean * oracle.df(x, y)[1]) / (Lg + lean)
        fx, fy = oracle.df(x, y)
        for _ in range(LINEAR):
            v = v + (fy - oracle.hyy(x, y, v)) / Lg
        x = x - RATE * (fx - oracle.hxy(x, y, v))
    return x
