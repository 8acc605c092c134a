"""A genetic algorithm for fitness alone: tournaments of three, Gaussian mutation, the best of parents and children."""

import numpy as np

# EVOLVE-BLOCK-START
POPULATION = 100
TOURNAMENT = 3
SIGMA = 0.05


def illuminate(oracle, dim, budget, side):
    rng = np.random.default_rng(0)
    x = rng.random((POPULATION, dim))
    fitness = oracle.evaluate(x)[0]
    used = POPULATION
    while used + POPULATION <= budget:
        rivals = rng.integers(0, POPULATION, (POPULATION, TOURNAMENT))
        winners = rivals[np.arange(POPULATION), np.argmax(fitness[rivals], axis=1)]
        children = x[winners] + SIGMA * rng.standard_normal((POPULATION, dim))
        children = np.clip(children, 0.0, 1.0)
        theirs = oracle.evaluate(children)[0]
        used = used + POPULATION
        both = np.vstack([x, children])
        values = np.concatenate([fitness, theirs])
        best = np.argsort(-values)[:POPULATION]
        x = both[best]
        fitness = values[best]


# EVOLVE-BLOCK-END
