"""MAP-Elites (Mouret and Clune 2015, section 3): the fittest solution of every cell, parents uniform over the cells."""

import numpy as np

FIRST = 500
BATCH = 100
SIGMA = 0.05


def illuminate(oracle, dim, budget, side):
    rng = np.random.default_rng(0)
    elites = {}
    x = rng.random((min(FIRST, budget), dim))
    left = budget
    while True:
        fitness, behaviour = oracle.evaluate(x)
        _insert(elites, side, x, fitness, behaviour)
        left -= len(x)
        if left == 0:
            return
        filled = list(elites.values())
        parents = np.array([filled[k][1] for k in rng.integers(len(filled), size=min(BATCH, left))])
        x = np.clip(parents + SIGMA * rng.standard_normal(parents.shape), 0, 1)


def _insert(elites, side, x, fitness, behaviour):
    cells = np.minimum((behaviour * side).astype(int), side - 1)
    for point, value, cell in zip(x, fitness, map(tuple, cells), strict=True):
        if cell not in elites or value > elites[cell][0]:
            elites[cell] = value, point
