"""Restarted GMRES (Saad and Schultz 1986): each system on its own, from zero."""

import numpy as np

# EVOLVE-BLOCK-START
RESTART = 30
SAFETY = 0.9


def solve_family(oracle, params, B, tolerance):
    solutions = np.zeros_like(B)
    for i in range(len(B)):
        b = B[i]
        x = np.zeros_like(b)
        target = tolerance * np.linalg.norm(b)
        r = b
        while np.linalg.norm(r) > target:
            V, H = np.zeros((RESTART + 1, len(b))), np.zeros((RESTART + 1, RESTART))
            beta = np.linalg.norm(r)
            V[0] = r / beta
            for j in range(RESTART):
                w = oracle.apply(i, V[j])
                for _ in range(2):
                    h = V[: j + 1] @ w
                    w = w - h @ V[: j + 1]
                    H[: j + 1, j] += h
                H[j + 1, j] = np.linalg.norm(w)
                V[j + 1] = w / H[j + 1, j]
                e = np.zeros(j + 2)
                e[0] = beta
                y = np.linalg.lstsq(H[: j + 2, : j + 1], e, rcond=None)[0]
                residual = e - H[: j + 2, : j + 1] @ y
                if np.linalg.norm(residual) < SAFETY * target:
                    break
            x = x + y @ V[: j + 1]
            r = residual @ V[: j + 2]
        solutions[i] = x
    return solutions


# EVOLVE-BLOCK-END
