"""GMRES that never restarts within its 150 steps: fewest products without recycling, at the price of memory and CPU."""

import numpy as np

MOST_STEPS = 150
SAFETY = 0.9


def solve_family(oracle, params, B, tolerance):
    return np.array([gmres(oracle, i, b, tolerance * np.linalg.norm(b)) for i, b in enumerate(B)])


def gmres(oracle, i, b, target):
    V, H = np.zeros((MOST_STEPS + 1, len(b))), np.zeros((MOST_STEPS + 1, MOST_STEPS))
    e = np.zeros(MOST_STEPS + 1)
    e[0] = np.linalg.norm(b)
    V[0] = b / e[0]
    y, residual, steps = np.zeros(0), e[:1], 0
    while steps < MOST_STEPS and np.linalg.norm(residual) > SAFETY * target:
        w = oracle.apply(i, V[steps])
        for _ in range(2):
            h = V[: steps + 1] @ w
            w = w - h @ V[: steps + 1]
            H[: steps + 1, steps] += h
        steps += 1
        H[steps, steps - 1] = np.linalg.norm(w)
        V[steps] = w / np.linalg.norm(w)
        part = H[: steps + 1, :steps]
        y = np.linalg.lstsq(part, e[: steps + 1], rcond=None)[0]
        residual = e[: steps + 1] - part @ y
    return y @ V[:steps]
