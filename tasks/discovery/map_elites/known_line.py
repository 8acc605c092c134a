"""MAP-Elites with children along the line to another elite (Vassiliades and Mouret 2018, Iso+LineDD)."""

import numpy as np

FIRST = 500
BATCH = 100
SIGMA = 0.01
ALONG = 0.2


def illuminate(oracle, dim, budget, side):
    rng = np.random.default_rng(0)
    best, points = np.full(side * side, -np.inf), np.zeros((side * side, dim))
    x = rng.random((min(FIRST, budget), dim))
    left = budget
    while True:
        fitness, behaviour = oracle.evaluate(x)
        left -= len(x)
        cells = np.minimum((behaviour * side).astype(int), side - 1) @ np.array([side, 1])
        for row in np.argsort(fitness):
            if fitness[row] > best[cells[row]]:
                best[cells[row]], points[cells[row]] = fitness[row], x[row]
        if left == 0:
            return
        filled, size = np.flatnonzero(best > -np.inf), min(BATCH, left)
        one, other = points[rng.choice(filled, size)], points[rng.choice(filled, size)]
        steps = SIGMA * rng.standard_normal(one.shape) + ALONG * rng.standard_normal((size, 1)) * (other - one)
        x = np.clip(one + steps, 0, 1)
