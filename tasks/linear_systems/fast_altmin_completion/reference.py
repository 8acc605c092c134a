"""Robust alternating minimisation (Gu, Song, Yin and Zhang 2023): half-steps solved to moderate accuracy only.

The other factor is orthonormalised, so that it stays incoherent and the rows' normal equations well conditioned. From
the current factor, all rows take INNER steps of conjugate gradients on (G_i) u = b_i at once, G_i = sum over the row's
entries of v v', where the paper has a sketched solver. The cost of a half-step does not depend on k.
"""

import numpy as np

INNER = 2
ENOUGH = 1e-7
TINY = 1e-300


def complete(oracle, m, n, k, density, tolerance):
    moving, fixed = "U", "V"
    while improve(oracle, moving, fixed) > ENOUGH:
        moving, fixed = fixed, moving


def improve(oracle, moving, fixed):
    """One half-step; returns the relative residual of the normal equations before it."""
    oracle.orthonormalise(fixed, moving)
    oracle.observe("B", fixed)
    oracle.apply("R", moving, fixed)
    oracle.combine("R", 1.0, "B", -1.0, "R")
    oracle.combine("P", 1.0, "R", 0.0, "R")
    squares = oracle.dot("R", "R")
    before = np.sqrt(squares.sum() / oracle.dot("B", "B").sum())
    for _ in range(INNER):
        oracle.apply("Q", "P", fixed)
        alpha = squares / np.maximum(oracle.dot("P", "Q"), TINY)
        oracle.combine(moving, 1.0, moving, alpha, "P")
        oracle.combine("R", 1.0, "R", -alpha, "Q")
        following = oracle.dot("R", "R")
        oracle.combine("P", 1.0, "R", following / np.maximum(squares, TINY), "P")
        squares = following
    return before
