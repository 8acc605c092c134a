"""Expected improvement (Jones et al. 1998) at the costly level alone, with a Gaussian process fitted by likelihood."""

import numpy as np
from scipy.special import ndtr

# EVOLVE-BLOCK-START
FIRST = 0.5
FACTORS = (0.5, 2.0)
REFIT = 4
RANDOM = 300
LOCAL = 40
NEAR = 0.06
JITTER = 1e-6


def kernel(a, b, lengths):
    squares = np.sum((a[:, None, :] / lengths - b[None, :, :] / lengths) ** 2, axis=2)
    r = np.sqrt(5.0 * squares)
    return (1.0 + r + r**2 / 3.0) * np.exp(-r)


def likelihood(x, y, lengths):
    factor = np.linalg.cholesky(kernel(x, x, lengths) + JITTER * np.eye(len(y)))
    residual = np.linalg.solve(factor, y - np.mean(y))
    prior = 0.1 * np.sum(np.log(lengths / (FIRST * np.sqrt(x.shape[1]))) ** 2)
    return -0.5 * len(y) * np.log(np.mean(residual**2) + 1e-12) - np.sum(np.log(np.diag(factor))) - prior


def fit(x, y, lengths):
    best = likelihood(x, y, lengths)
    for k in range(len(lengths)):
        for factor in FACTORS:
            trial = lengths.copy()
            trial[k] = trial[k] * factor
            value = likelihood(x, y, trial)
            if value > best:
                best, lengths = value, trial
    return lengths


def predict(x, y, points, lengths):
    factor = np.linalg.cholesky(kernel(x, x, lengths) + JITTER * np.eye(len(y)))
    residual = np.linalg.solve(factor, y - np.mean(y))
    cross = np.linalg.solve(factor, kernel(x, points, lengths))
    variance = np.mean(residual**2) * np.maximum(1.0 - np.sum(cross**2, axis=0), 1e-12)
    return np.mean(y) + cross.T @ residual, np.sqrt(variance)


def improvement(mean, deviation, incumbent):
    u = (incumbent - mean) / (deviation + 1e-12)
    density = np.exp(-0.5 * u**2) / np.sqrt(2.0 * np.pi)
    return deviation * (u * ndtr(u) + density)


def optimize(oracle, dim, costs, budget):
    rng = np.random.default_rng(0)
    level = len(costs) - 1
    calls = int(budget / costs[level])
    start = min(2 * dim + 2, calls // 2)
    x = rng.random((start, dim))
    y = np.array([oracle.query(point, level) for point in x])
    lengths = np.full(dim, FIRST * np.sqrt(dim))
    while len(y) < calls:
        if (len(y) - start) % REFIT == 0:
            lengths = fit(x, y, lengths)
        centres = np.repeat(x[np.argsort(y)[:3]], LOCAL, axis=0)
        near = centres + NEAR * rng.standard_normal(centres.shape)
        points = np.vstack([rng.random((RANDOM, dim)), np.clip(near, 0.0, 1.0)])
        mean, deviation = predict(x, y, points, lengths)
        chosen = points[np.argmax(improvement(mean, deviation, np.min(y)))]
        x = np.vstack([x, chosen[None, :]])
        y = np.append(y, oracle.query(chosen, level))
    return x[np.argmin(y)]


# EVOLVE-BLOCK-END
