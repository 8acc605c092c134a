"""Conjugate gradients (Hestenes and Stiefel 1952), each system on its own."""

import numpy as np

# EVOLVE-BLOCK-START


def solve_all(oracle, train_masks, test_masks, B, tolerance, seed):
    solutions = np.zeros_like(B)
    for i in range(len(B)):
        x = np.zeros_like(B[i])
        r = B[i].copy()
        p = r.copy()
        target = tolerance * np.linalg.norm(B[i])
        square = np.sum(r * r)
        while np.sqrt(square) > target:
            q = oracle.apply(i, p)
            alpha = square / np.sum(p * q)
            x = x + alpha * p
            r = r - alpha * q
            following = np.sum(r * r)
            p = r + following / square * p
            square = following
        solutions[i] = x
    return solutions


# EVOLVE-BLOCK-END
