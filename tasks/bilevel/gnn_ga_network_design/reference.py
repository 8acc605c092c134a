"""A genetic algorithm on a learned surrogate of the lower level (Madadi and Correia 2024, section 4).

Half of the equilibria are spent on random designs. A surrogate of the travel time is fitted to all designs known, the
genetic algorithm runs on it, the best new designs are evaluated and the surrogate is fitted anew, until the equilibria
are used up. The paper's surrogate is a graph neural network trained beforehand; here it is a ridge regression on which
links are built and on all pairs of them, which suffices for so few candidates.
"""

import numpy as np

SHARE = 0.5
BATCH = 5
POPULATION, GENERATIONS = 60, 25
DENSITY = 0.4
RIDGE_LINKS, RIDGE_PAIRS = 0.1, 2.0


def design(oracle, nodes, edges, t0, cand, cand_t0, cand_cost, od, budget, max_evals, seed):
    rng = np.random.default_rng(seed)
    c = len(cand_cost)
    known = repaired(rng.random((int(SHARE * max_evals), c)) < DENSITY, cand_cost, budget, rng)
    values = np.array([oracle.evaluate(x) for x in known])
    while len(values) < max_evals:
        weights = fitted(features(known), values, c)
        found = evolved(weights, known[np.argsort(values)[:10]], cand_cost, budget, rng)
        seen = {tuple(x) for x in known}
        fresh = [x for x in found if tuple(x) not in seen][: min(BATCH, max_evals - len(values))]
        fresh = fresh or [*repaired(rng.random((1, c)) < DENSITY, cand_cost, budget, rng)]
        known = np.vstack([known, fresh])
        values = np.append(values, [oracle.evaluate(x) for x in fresh])
    return known[np.argmin(values)]


def features(designs):
    """One, the links and the products of two links, a row for each design."""
    first, second = np.triu_indices(designs.shape[1], 1)
    return np.hstack([np.ones((len(designs), 1)), designs, designs[:, first] * designs[:, second]])


def fitted(rows, values, c):
    penalty = np.concatenate([[1e-6], np.full(c, RIDGE_LINKS), np.full(rows.shape[1] - c - 1, RIDGE_PAIRS)])
    return np.linalg.solve(rows.T @ rows + np.diag(penalty), rows.T @ values)


def evolved(weights, seeds, cost, budget, rng):
    """Different designs, the best by the surrogate first."""
    c = seeds.shape[1]
    fill = rng.random((POPULATION - len(seeds), c)) < DENSITY
    population = np.vstack([seeds, repaired(fill, cost, budget, rng)])
    for _ in range(GENERATIONS):
        scores = features(population) @ weights
        pairs = rng.integers(0, POPULATION, (2, POPULATION, 2))
        parents = np.where(scores[pairs[..., 0]] < scores[pairs[..., 1]], pairs[..., 0], pairs[..., 1])
        mixed = np.where(rng.random((POPULATION, c)) < 0.5, population[parents[0]], population[parents[1]])
        children = repaired(mixed != (rng.random(mixed.shape) < 1 / c), cost, budget, rng)
        both = np.unique(np.vstack([population, children]), axis=0)
        population = both[np.argsort(features(both) @ weights)[:POPULATION]]
        if len(population) < POPULATION:
            extra = rng.random((POPULATION - len(population), c)) < DENSITY
            population = np.vstack([population, repaired(extra, cost, budget, rng)])
    _, order = np.unique(population, axis=0, return_index=True)
    return population[np.sort(order)]


def repaired(designs, cost, budget, rng):
    """0/1 rows from which random links are left out until each costs at most the budget."""
    designs = np.array(designs, int)
    order = rng.permuted(np.tile(np.arange(designs.shape[1]), (len(designs), 1)), axis=1)
    for links in order.T:
        over = designs @ cost > budget
        designs[over, links[over]] = 0
    return designs
