"""Bayesian optimisation of the mean hypervolume over tuning seeds (Felten et al. 2023, section 3).

The value of a configuration is the mean over all tuning seeds. After the default and random configurations a Gaussian
process with noise proposes the maximiser of the expected improvement over the best posterior mean; recommended is the
tried configuration with the best posterior mean, not the best single value.
"""

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.special import ndtr

FIRST = 4
LENGTHS = (0.3, 0.6, 1.2)
NOISES = (0.03, 0.1, 0.3)
RANDOM, LOCAL, NEAR = 300, 100, 0.1


def tune(oracle, space, default, budget, seeds):
    rng = np.random.default_rng(0)
    configs, x, y = [], [], []

    def run(config):
        configs.append(config)
        x.append(encode(config, space))
        y.append(np.mean([oracle.train(config, seed) for seed in range(seeds)]))

    run(default)
    while (len(y) + 1) * seeds <= budget:
        if len(y) <= FIRST:
            run(decode(rng.random(len(space)), space))
            continue
        known = np.array(x)
        best = known[np.argmax(y)]
        near = np.clip(best + NEAR * rng.standard_normal((LOCAL, len(space))), 0, 1)
        points = np.vstack([rng.random((RANDOM, len(space))), near])
        mean, deviation = predict(known, np.array(y), np.vstack([points, known]))
        incumbent, u = mean[len(points) :].max(), mean[: len(points)]
        u = (u - incumbent) / deviation[: len(points)]
        gain = deviation[: len(points)] * (u * ndtr(u) + np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi))
        run(decode(points[np.argmax(gain)], space))
    return configs[int(np.argmax(predict(np.array(x), np.array(y), np.array(x))[0]))]


def predict(x, y, points):
    """Posterior mean and deviation; length and noise by likelihood."""
    shift, scale = y.mean(), y.std() + 1e-9
    z, fits = (y - shift) / scale, []
    for length in LENGTHS:
        for noise in NOISES:
            factor = np.linalg.cholesky(kernel(x, x, length) + noise * np.eye(len(z)))
            root = solve_triangular(factor, z, lower=True)
            fits.append((-0.5 * root @ root - np.log(np.diag(factor)).sum(), length, factor))
    _, length, factor = max(fits, key=lambda fit: fit[0])
    cross = kernel(x, points, length)
    variance = 1 - (solve_triangular(factor, cross, lower=True) ** 2).sum(axis=0)
    return shift + scale * cross.T @ cho_solve((factor, True), z), scale * np.sqrt(np.maximum(variance, 1e-9))


def kernel(a, b, length):
    """Matern 5/2."""
    r = np.sqrt(5 * ((a[:, None] - b[None]) ** 2).sum(axis=2)) / length
    return (1 + r + r**2 / 3) * np.exp(-r)


def encode(config, space):
    unit = []
    for name, axis in space.items():
        low, high, value = axis["low"], axis["high"], config[name]
        unit.append(np.log(value / low) / np.log(high / low) if axis["log"] else (value - low) / (high - low))
    return np.array(unit)


def decode(unit, space):
    config = {}
    for u, (name, axis) in zip(unit, space.items(), strict=True):
        low, high = axis["low"], axis["high"]
        value = min(max(low * (high / low) ** u if axis["log"] else low + u * (high - low), low), high)
        config[name] = round(value) if axis["type"] == "int" else float(value)
    return config
