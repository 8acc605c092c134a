"""Tensor attention by the polynomial method (Alman and Song 2024, How to Capture Higher-order Correlations?).

exp(z) is replaced by its Taylor polynomial of degree g. Expanded over multi-indices a with |a| <= g,
A_ijk = sum_a [Q_i^a / (a! d^|a|)] [K1_j^a] [K2_k^a], a form of low rank in which the sums over j and k separate:
O(n C(d+g, g) d) instead of O(n^3 d). g is the least one whose remainder is below the tolerance for the largest score
that the entries allow.
"""

import math

import numpy as np

TOLERANCE = 1e-3
LARGEST_DEGREE = 12


def attend(Q, K1, K2, V1, V2):
    d = Q.shape[1]
    largest = (np.abs(Q).max(axis=0) * np.abs(K1).max(axis=0) * np.abs(K2).max(axis=0)).sum() / d
    powers = monomials(d, degree(largest))
    scale = np.array([coefficient(power, d) for _, _, power in powers])
    q, k1, k2 = (features(matrix, powers) for matrix in (Q, K1, K2))
    q *= scale[:, None]
    numerator = q.T @ ((k1 @ V1) * (k2 @ V2))
    return numerator / (q.T @ (k1.sum(axis=1) * k2.sum(axis=1)))[:, None]


def degree(largest):
    g = 1
    while g < LARGEST_DEGREE and largest ** (g + 1) / math.factorial(g + 1) > TOLERANCE:
        g += 1
    return g


def monomials(d, g):
    """(place of the monomial that it extends, variable, exponents) of all monomials to degree g."""
    found = [(0, 0, (0,) * d)]
    first = 0
    for _ in range(g):
        last = len(found)
        for place in range(first, last):
            _, variable, power = found[place]
            for extra in range(variable, d):
                found.append((place, extra, tuple(p + (at == extra) for at, p in enumerate(power))))
        first = last
    return found


def coefficient(power, d):
    return 1.0 / (math.prod(map(math.factorial, power)) * d ** sum(power))


def features(matrix, powers):
    """Values (monomials, n) of all monomials at the rows."""
    columns = np.ascontiguousarray(matrix.T)
    values = np.ones((len(powers), len(matrix)))
    for at in range(1, len(powers)):
        place, variable, _ = powers[at]
        np.multiply(values[place], columns[variable], out=values[at])
    return values
