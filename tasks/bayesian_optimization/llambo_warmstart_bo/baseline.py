"""Expected improvement (Jones et al. 1998) with a Gaussian process after five random configurations."""

import numpy as np
from scipy.special import ndtr

# EVOLVE-BLOCK-START
FIRST = 5
LENGTHS = (0.15, 0.3, 0.6)
NOISE = 1e-3
CANDIDATES = 300


def decode(unit, space):
    config = {}
    for u, (name, axis) in zip(unit, space.items(), strict=True):
        if axis["log"]:
            value = axis["low"] * (axis["high"] / axis["low"]) ** u
        else:
            value = axis["low"] + u * (axis["high"] - axis["low"])
        value = min(max(value, axis["low"]), axis["high"])
        config[name] = round(value) if axis["type"] == "int" else float(value)
    return config


def kernel(a, b, length):
    r = np.sqrt(5.0 * np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=2)) / length
    return (1.0 + r + r**2 / 3.0) * np.exp(-r)


def predict(x, y, points):
    best = -np.inf
    mean = np.zeros(len(points))
    deviation = np.ones(len(points))
    for length in LENGTHS:
        factor = np.linalg.cholesky(kernel(x, x, length) + NOISE * np.eye(len(y)))
        residual = np.linalg.solve(factor, y - np.mean(y))
        variance = np.mean(residual**2) + 1e-9
        likelihood = -0.5 * len(y) * np.log(variance) - np.sum(np.log(np.diag(factor)))
        if likelihood > best:
            best = likelihood
            cross = np.linalg.solve(factor, kernel(x, points, length))
            mean = np.mean(y) + cross.T @ residual
            deviation = np.sqrt(variance * np.maximum(1.0 - np.sum(cross**2, axis=0), 1e-9))
    return mean, deviation


def tune(oracle, space, card, budget):
    rng = np.random.default_rng(0)
    x = rng.random((FIRST, len(space)))
    y = np.array([oracle.evaluate(decode(unit, space)) for unit in x])
    while len(y) < budget:
        points = rng.random((CANDIDATES, len(space)))
        mean, deviation = predict(x, y, points)
        u = (mean - np.max(y)) / deviation
        gain = deviation * (u * ndtr(u) + np.exp(-0.5 * u**2) / np.sqrt(2.0 * np.pi))
        chosen = points[np.argmax(gain)]
        x = np.vstack([x, chosen[None, :]])
        y = np.append(y, oracle.evaluate(decode(chosen, space)))


# EVOLVE-BLOCK-END
