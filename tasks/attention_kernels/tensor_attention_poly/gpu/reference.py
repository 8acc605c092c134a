"""The polynomial method (Alman and Song 2024) in matrix products of all heads at once.

exp(z) is replaced by its Taylor polynomial of degree g. Expanded over multi-indices a with |a| <= g,
A_ijk = sum_a [Q_i^a / (a! d^|a|)] [K1_j^a] [K2_k^a], in which the sums over j and k separate: O(n C(d+g, g) d).
"""

import itertools
import math

import torch

DEGREE = 6


def attend(Q, K1, K2, V1, V2):
    d = Q.shape[2]
    powers = [
        tuple(map(chosen.count, range(d)))
        for g in range(DEGREE + 1)
        for chosen in itertools.combinations_with_replacement(range(d), g)
    ]
    scale = [1.0 / (math.prod(map(math.factorial, power)) * d ** sum(power)) for power in powers]
    index = torch.tensor(powers, device=Q.device)
    q, k1, k2 = (features(matrix, index) for matrix in (Q, K1, K2))
    q = q * torch.tensor(scale, device=Q.device)
    numerator = q @ ((k1.mT @ V1) * (k2.mT @ V2))
    return numerator / (q @ (k1.sum(dim=1) * k2.sum(dim=1))[:, :, None])


def features(matrix, index):
    """Values (heads, n, monomials) of all monomials at the rows."""
    steps = [torch.ones_like(matrix)]
    for _ in range(DEGREE):
        steps.append(steps[-1] * matrix)
    table = torch.stack(steps, dim=2)
    values = table[:, :, index[:, 0], 0]
    for variable in range(1, matrix.shape[2]):
        values = values * table[:, :, index[:, variable], variable]
    return values
