"""The baseline at a larger rate, returning the mean of the second half of its points (Polyak and Juditsky 1992)."""

import numpy as np

RATE = 0.3
BATCH = 512


def train(oracle, x0, budget, overhead, bmax):
    x, total, points = x0.copy(), np.zeros(x0.size), []
    for _ in range(int(budget // (overhead + BATCH))):
        g, _ = oracle.sample(x, BATCH)
        total += g**2
        x = x - RATE * g / np.sqrt(total + 1e-8)
        points.append(x)
    return np.mean(points[len(points) // 2 :], axis=0)
