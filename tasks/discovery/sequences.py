"""Integer sequences that count something, by exact recursions, and recurrences as a closed language for them.

Every sequence is a(1), a(2), ...; a generator draws its parameters and returns the first ``count`` terms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Generator = Callable[[np.random.Generator, int], list[int]]


def polynomial(rng: np.random.Generator, count: int) -> list[int]:
    """Faces of an arrangement, in a random weighting: sum of c_k binomial(n, k), degree 2 to 5."""
    weights = [int(c) for c in rng.integers(0, 6, int(rng.integers(2, 6)))] + [int(rng.integers(1, 4))]
    return [sum(c * comb(n, k) for k, c in enumerate(weights)) for n in range(1, count + 1)]


def partitions(rng: np.random.Generator, count: int) -> list[int]:
    """Ways to pay n with coins of 1, a and b: a polynomial on every residue class."""
    coins = (1, *(int(c) for c in rng.choice(np.arange(2, 6), 2, replace=False)))
    ways = [1, *([0] * count)]
    for coin in coins:
        for n in range(coin, count + 1):
            ways[n] += ways[n - coin]
    return ways[1:]


def floors(rng: np.random.Generator, count: int) -> list[int]:
    """The largest integer value of a quadratic bound: floor((p n^2 + q n + r) / s)."""
    p, q, r, s = (int(rng.integers(low, high)) for low, high in ((1, 6), (-3, 7), (0, 9), (3, 7)))
    return [(p * n * n + q * n + r) // s for n in range(1, count + 1)]


def walks(rng: np.random.Generator, count: int) -> list[int]:
    """Words of n letters in which only some pairs may be neighbours: walks on a random graph of 3 to 5 letters."""
    letters = int(rng.integers(3, 6))
    while True:
        allowed = rng.random((letters, letters)) < 0.5
        if allowed.any(axis=0).all() and allowed.any(axis=1).all():
            break
    ends, terms = [1] * letters, []
    for _ in range(count):
        terms.append(sum(ends))
        ends = [sum(ends[i] for i in range(letters) if allowed[i, j]) for j in range(letters)]
    return terms


def motzkin(rng: np.random.Generator, count: int) -> list[int]:
    """Paths of n steps up, down and level that stay above the ground and end there, in some colours."""
    level, pair = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    heights, terms = [1], []
    for _ in range(count):
        padded = [0, *heights, 0, 0]
        heights = [padded[h] + level * padded[h + 1] + pair * padded[h + 2] for h in range(len(heights) + 1)]
        terms.append(heights[0])
    return terms


def matchings(rng: np.random.Generator, count: int) -> list[int]:
    """Ways to pair some of n people, each pair and each single in some colours."""
    single, pair = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    terms = [1, single]
    for n in range(2, count + 1):
        terms.append(single * terms[n - 1] + pair * (n - 1) * terms[n - 2])
    return terms[1:]


def divisors(rng: np.random.Generator, count: int) -> list[int]:
    """Sum of the divisors of n, to a random power: no recurrence with polynomial coefficients holds."""
    power = int(rng.integers(0, 3))
    return [sum(d**power for d in range(1, n + 1) if n % d == 0) for n in range(1, count + 1)]


def digits(rng: np.random.Generator, count: int) -> list[int]:
    """Sum of the digits of n in a random base, added up: none holds either."""
    base, total, terms = int(rng.integers(2, 5)), 0, []
    for n in range(1, count + 1):
        rest = n
        while rest:
            rest, digit = divmod(rest, base)
            total += digit
        terms.append(total)
    return terms


def extended(first: Sequence[int], coefficients: Sequence[Sequence[int]], count: int) -> list[int] | None:
    """Terms a(1) ... a(count) with sum over i, j of coefficients[i][j] n^j a(n + i) = 0 for n >= 1.

    None where the recurrence does not give a next integer.
    """
    order, terms = len(coefficients) - 1, list(first)
    for n in range(len(first) - order + 1, count - order + 1):
        factors = [sum(c * n**j for j, c in enumerate(row)) for row in coefficients]
        if not factors[order]:
            return None
        known = sum(factor * term for factor, term in zip(factors, terms[n - 1 :], strict=False))
        quotient, rest = divmod(-known, factors[order])
        if rest:
            return None
        terms.append(quotient)
    return terms[:count]
