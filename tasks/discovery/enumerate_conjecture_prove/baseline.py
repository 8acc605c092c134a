"""Answer without a check: the polynomial through the first six terms."""

import itertools
from math import comb

# EVOLVE-BLOCK-START
TERMS = 6


def answer(oracle, problem, budget):
    terms = [oracle.term(problem, n) for n in range(1, TERMS + 1)]
    differences = terms
    degree = 0
    while len(set(differences)) > 1:
        differences = [after - before for before, after in itertools.pairwise(differences)]
        degree += 1
    order = degree + 1
    coefficients = [[(-1) ** (order - i) * comb(order, i)] for i in range(order + 1)]
    return {"first": terms[:order], "coefficients": coefficients}


def construct(oracle, count, budget):
    return [answer(oracle, problem, budget) for problem in range(count)]


# EVOLVE-BLOCK-END
