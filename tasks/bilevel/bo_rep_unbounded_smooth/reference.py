"""BO-REP (Hao, Gong and Liu 2024, Algorithm 1): normalised momentum above, refined and rare updates below.

The lower variable is first refined at x0; then it takes a few projected steps only in every fourth iteration, which
suffices because a normalised step moves x, and so y*(x), by a known length. The linear system takes one step in each.
x <- x - eta m / |m| with m <- beta m + (1 - beta) h; eta falls with the square root of the time that is left.
"""

import numpy as np

REFINEMENT = 100
PERIOD = 4
INNER = 4
REACH = 45.0
"""Length of the whole path if all steps were as long as the first."""
MOMENTUM = 0.9


def solve(oracle, x0, ny, mu, Lg, budget):
    x, y, v, m = x0.copy(), np.zeros(ny), np.zeros(ny), np.zeros(x0.size)
    for _ in range(REFINEMENT):
        y = y - 0.5 / Lg * oracle.gy(x, y)
    iterations = (budget - REFINEMENT) * PERIOD // (INNER + 3 * PERIOD) - 1
    for t in range(iterations):
        step = REACH / iterations * np.sqrt(1 - t / iterations)
        if t % PERIOD == 0:
            y = nearby(oracle, x, y, 0.5 / Lg, PERIOD * step * Lg / mu)
        fx, fy = oracle.df(x, y)
        v = v - 0.5 / Lg * (oracle.hyy(x, y, v) - fy)
        m = MOMENTUM * m + (1 - MOMENTUM) * (fx - oracle.hxy(x, y, v))
        x = x - step * m / (np.linalg.norm(m) + 1e-12)
    return x


def nearby(oracle, x, y, rate, radius):
    """``INNER`` steps on y, none of which leaves the ball around the first."""
    centre = y
    for _ in range(INNER):
        y = y - rate * oracle.gy(x, y)
        moved = y - centre
        y = centre + moved * min(1.0, radius / (np.linalg.norm(moved) + 1e-12))
    return y
