"""The first-order penalty method (Kwon et al. 2024, deterministic form), with a penalty that tightens.

psi_sigma(x) = (min_y [sigma f + g](x, y) - min_z g(x, z)) / sigma has the gradient
f_x(x, y) + (g_x(x, y) - g_x(x, z)) / sigma at the two minimisers, which a few gradient steps follow. Its distance to
the gradient of the optimistic value is of order sigma, also where g(x, .) has many minimisers.
"""

import numpy as np

FIRST, LAST = 0.5, 0.02
TIGHTENING = 0.6
INNER = 5
WARM_UP = 50
"""Steps of the first round: errors of y and z are divided by sigma, so neither may be far from its minimiser."""
RATE = 0.05
COST = 3 * INNER + 3


def solve(oracle, nx, ny, y0, Lg, budget):
    x, y, z = np.zeros(nx), y0.copy(), y0.copy()
    rounds = (budget - 3 * (WARM_UP - INNER)) // COST
    for t in range(rounds):
        sigma = FIRST * (LAST / FIRST) ** min(1.0, t / (TIGHTENING * rounds))
        for _ in range(INNER if t else WARM_UP):
            z = z - 0.9 / Lg * oracle.dg(x, z)[1]
            y = y - 0.9 / (Lg + sigma) * (oracle.dg(x, y)[1] + sigma * oracle.df(x, y)[1])
        x = x - RATE * (oracle.df(x, y)[0] + (oracle.dg(x, y)[0] - oracle.dg(x, z)[0]) / sigma)
    return x
