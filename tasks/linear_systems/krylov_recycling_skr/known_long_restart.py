"""GMRES that never restarts within its 150 steps: fewest products without recycling, at the price of memory and CPU."""

import numpy as np

MOST_STEPS = 150
SAFETY = 0.9


def solve_family(oracle, params, B, tolerance):
    return np.array([gmres(oracle, i, b, tolerance * np.linalg.norm(b)) for i, b in enumerate(B)])


def gmres(oracle, i, b, target):
    V, H = np.zeros((MOST_STEPS + 1, len(b))), np.zeros((MOST_STEPS + 1, MOST_STEPS))
    beta = np.linalg.norm(b)
    V[0] = b / beta
    for j in range(MOST_STEPS):
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
        if np.linalg.norm(e - H[: j + 2, : j + 1] @ y) < SAFETY * target:
            break
    return y @ V[: j + 1]
