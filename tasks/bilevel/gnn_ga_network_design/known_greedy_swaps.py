"""Each link alone tells its gain per cost; the best are built while money lasts, then exchanges that help stay."""

import numpy as np


def design(oracle, nodes, edges, t0, cand, cand_t0, cand_cost, od, budget, max_evals, seed):
    rng = np.random.default_rng(seed)
    c = len(cand_cost)
    alone = np.array([oracle.evaluate(one) for one in np.eye(c, dtype=int)])
    worth = (oracle.evaluate(np.zeros(c, int)) - alone) / cand_cost
    best = filled(np.zeros(c, int), np.argsort(-worth), cand_cost, budget)
    value = oracle.evaluate(best)
    for _ in range(max_evals - c - 2):
        x = best.copy()
        x[rng.choice(np.flatnonzero(x))] = 0
        closed = np.flatnonzero(best == 0)
        x = filled(x, rng.permutation(closed), cand_cost, budget)
        found = oracle.evaluate(x)
        if found < value:
            best, value = x, found
    return best


def filled(x, order, cost, budget):
    for link in order:
        if not x[link] and x @ cost + cost[link] <= budget:
            x[link] = 1
    return x
