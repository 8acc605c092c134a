"""Restarted GMRES (Saad and Schultz 1986): each system on its own, from zero."""

import numpy as np

# EVOLVE-BLOCK-START
RESTART = 30
SAFETY = 0.9


def solve_family(oracle, params, B, tolerance):
    solutions = np.zeros_like(B)
    for i in range(len(B)):
        x = np.zeros_like(B[i])
        r = B[i]
        target = tolerance * np.linalg.norm(B[i])
        while np.linalg.norm(r) > target:
            V, H = arnoldi(oracle, i, r, SAFETY * target)
            y, residual = least_squares(H, np.linalg.norm(r))
            x = x + y @ V[:-1]
            r = residual @ V
        solutions[i] = x
    return solutions


def arnoldi(oracle, i, r, enough):
    V, H = np.zeros((RESTART + 1, len(r))), np.zeros((RESTART + 1, RESTART))
    beta = np.linalg.norm(r)
    V[0] = r / beta
    residual, steps = r, 0
    while steps < RESTART and np.linalg.norm(residual) > enough:
        w = oracle.apply(i, V[steps])
        for _ in range(2):
            h = V[: steps + 1] @ w
            w = w - h @ V[: steps + 1]
            H[: steps + 1, steps] += h
        steps += 1
        H[steps, steps - 1] = np.linalg.norm(w)
        V[steps] = w / np.linalg.norm(w)
        residual = least_squares(H[: steps + 1, :steps], beta)[1]
    return V[: steps + 1], H[: steps + 1, :steps]


def least_squares(H, beta):
    e = np.zeros(len(H))
    e[0] = beta
    y = np.linalg.lstsq(H, e, rcond=None)[0]
    return y, e - H @ y


# EVOLVE-BLOCK-END
