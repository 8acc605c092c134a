"""Exact alternating minimisation (Jain, Netrapalli and Sanghavi 2013): every row's least squares is solved exactly."""

import numpy as np

# EVOLVE-BLOCK-START
ENOUGH = 1e-7
MOST_ROUNDS = 100


def complete(oracle, m, n, k, density, tolerance):
    moving, fixed = "U", "V"
    for _ in range(2 * MOST_ROUNDS):
        oracle.orthonormalise(fixed, moving)
        oracle.observe("B", fixed)
        oracle.solve("B", "B", fixed)
        oracle.combine("D", 1.0, "B", -1.0, moving)
        oracle.combine(moving, 1.0, "B", 0.0, "B")
        change = np.sum(oracle.dot("D", "D"))
        size = np.sum(oracle.dot(moving, moving))
        if change < ENOUGH**2 * size:
            break
        moving, fixed = fixed, moving


# EVOLVE-BLOCK-END
