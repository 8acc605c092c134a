"""A steady-state genetic algorithm: binary tournaments, uniform crossover, bit flips, random repair to the budget."""

import numpy as np

# EVOLVE-BLOCK-START
POPULATION = 15
DENSITY = 0.4


def design(oracle, nodes, edges, t0, cand, cand_t0, cand_cost, od, budget, max_evals, seed):
    rng = np.random.default_rng(seed)
    c = len(cand_cost)
    population = []
    values = []
    for _ in range(POPULATION):
        x = repaired(rng.random(c) < DENSITY, cand_cost, budget, rng)
        population.append(x)
        values.append(oracle.evaluate(x))
    for _ in range(max_evals - POPULATION):
        first = parent(population, values, rng)
        second = parent(population, values, rng)
        child = np.where(rng.random(c) < 0.5, first, second)
        flipped = rng.random(c) < 1.0 / c
        child = repaired(child != flipped, cand_cost, budget, rng)
        value = oracle.evaluate(child)
        worst = int(np.argmax(values))
        if value < values[worst]:
            population[worst] = child
            values[worst] = value
    return population[int(np.argmin(values))]


def parent(population, values, rng):
    i, j = rng.choice(len(values), 2, replace=False)
    return population[i] if values[i] < values[j] else population[j]


def repaired(x, cost, budget, rng):
    x = x.astype(int)
    while x @ cost > budget:
        x[rng.choice(np.flatnonzero(x))] = 0
    return x


# EVOLVE-BLOCK-END
