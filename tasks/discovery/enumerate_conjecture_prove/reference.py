"""Enumerate, conjecture, prove (Sun et al. 2025, section 3), with a solver in the place of the language model.

Enumerate as many cases as the budget allows and hold out the last ones. Conjecture from simple to complex: a
polynomial, a polynomial on every residue class, a recurrence with constant and then with polynomial coefficients, each
from the first cases alone. A conjecture that the held-out cases refute is dropped; without a surviving one, abstain.
"""

import itertools
from fractions import Fraction
from math import comb, lcm

HELD_OUT = 3
MOST_CLASSES = 6
MOST_ORDER = 8
SHAPES = ((1, 1), (2, 1), (1, 2), (2, 2), (3, 1))
SPARE = 2


def construct(oracle, count, budget):
    return [answer(oracle, problem, budget) for problem in range(count)]


def answer(oracle, problem, budget):
    terms, spent = [], 0
    while spent + (len(terms) + 1) ** 2 <= budget:
        spent += (len(terms) + 1) ** 2
        terms.append(oracle.term(problem, len(terms) + 1))
    seen = terms[: -max(HELD_OUT, len(terms) // 5)]
    for coefficients in conjectures(seen):
        order = len(coefficients) - 1
        if holds(coefficients, terms):
            return {"first": terms[:order], "coefficients": coefficients}
    return None


def conjectures(terms):
    """Recurrences that the terms suggest, simple ones first."""
    for classes in range(1, MOST_CLASSES + 1):
        degree = max(
            (_degree(terms[start::classes]) for start in range(classes)), key=lambda d: len(terms) if d is None else d
        )
        if degree is not None:
            yield _differences(classes, degree + 1)
    for order in range(1, MOST_ORDER + 1):
        yield from _solved(terms, order, 0)
    for order, degree in SHAPES:
        yield from _solved(terms, order, degree)


def _degree(terms):
    """Of the polynomial through the terms, None where they are too few to tell."""
    for degree in range(len(terms) - 1):
        if len(set(terms)) == 1:
            return degree
        terms = [after - before for before, after in itertools.pairwise(terms)]
    return None


def _differences(step, times):
    """Coefficients of (E^step - 1)^times, E the shift."""
    coefficients = [[0] for _ in range(step * times + 1)]
    for k in range(times + 1):
        coefficients[step * k] = [(-1) ** (times - k) * comb(times, k)]
    return coefficients


def _solved(terms, order, degree):
    """The recurrence of that shape, where more equations than unknowns leave just about one."""
    equations = [
        [n**j * terms[n - 1 + i] for i in range(order + 1) for j in range(degree + 1)]
        for n in range(1, len(terms) - order + 1)
    ]
    unknowns = (order + 1) * (degree + 1)
    if len(equations) < unknowns - 1 + SPARE:
        return
    solution = _null_vector(equations)
    if solution is not None:
        scale = lcm(*(value.denominator for value in solution))
        whole = [int(value * scale) for value in solution]
        yield [whole[k : k + degree + 1] for k in range(0, unknowns, degree + 1)]


def _null_vector(rows):
    """A non-zero rational solution of rows x = 0, None where there is none; Gauss-Jordan elimination."""
    rows, pivots = [[Fraction(value) for value in row] for row in rows], []
    for column in range(len(rows[0])):
        place = next((k for k in range(len(pivots), len(rows)) if rows[k][column]), None)
        if place is None:
            solution = [Fraction(0)] * len(rows[0])
            solution[column] = Fraction(1)
            for pivot, row in zip(pivots, rows, strict=False):
                solution[pivot] = -row[column]
            return solution
        top = len(pivots)
        rows[top], rows[place] = rows[place], rows[top]
        pivots.append(column)
        inverse = 1 / rows[top][column]
        rows[top] = [value * inverse for value in rows[top]]
        for k, row in enumerate(rows):
            if k != top and row[column]:
                factor = row[column]
                rows[k] = [value - factor * pivot for value, pivot in zip(row, rows[top], strict=True)]
    return None


def holds(coefficients, terms):
    order = len(coefficients) - 1
    for n in range(1, len(terms) - order + 1):
        factors = [sum(c * n**j for j, c in enumerate(row)) for row in coefficients]
        if not factors[order] or sum(f * terms[n - 1 + i] for i, f in enumerate(factors)):
            return False
    return True
