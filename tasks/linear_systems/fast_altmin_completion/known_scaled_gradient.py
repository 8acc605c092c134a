"""Scaled gradient descent (Tong, Ma and Chi 2021), factor after factor: one step of fixed size, no line search."""

import numpy as np

STEP = 0.7
ENOUGH = 3e-8


def complete(oracle, m, n, k, density, tolerance):
    moving, fixed = "U", "V"
    while True:
        oracle.orthonormalise(fixed, moving)
        oracle.observe("B", fixed)
        oracle.apply("R", moving, fixed)
        oracle.combine("R", 1.0, "B", -1.0, "R")
        oracle.combine(moving, 1.0, moving, STEP / density, "R")
        if np.sum(oracle.dot("R", "R")) < ENOUGH**2 * np.sum(oracle.dot("B", "B")):
            break
        moving, fixed = fixed, moving
