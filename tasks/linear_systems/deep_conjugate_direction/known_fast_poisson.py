"""Conjugate gradients preconditioned with a fast Poisson solver that knows neither discs nor coefficients."""

import numpy as np


def solve_all(oracle, train_masks, test_masks, B, tolerance, seed):
    side = B.shape[1]
    k = np.arange(1, side + 1)
    basis = np.sqrt(2 / (side + 1)) * np.sin(np.pi * np.outer(k, k) / (side + 1))
    values = 2 - 2 * np.cos(np.pi * k / (side + 1))
    both = values[:, None] + values
    solutions = np.zeros_like(B)
    for i, mask in enumerate(test_masks):
        x, r = np.zeros_like(B[i]), B[i].copy()
        target, p, before = tolerance * np.linalg.norm(B[i]), np.zeros_like(r), 1.0
        while np.linalg.norm(r) > target:
            z = mask * (basis @ (basis @ r @ basis / both) @ basis)
            now = np.sum(r * z)
            p = z + now / before * p
            q = oracle.apply(i, p)
            alpha = now / np.sum(p * q)
            x, r, before = x + alpha * p, r - alpha * q, now
        solutions[i] = x
    return solutions
