"""Evolution strategy whose dense perturbations are slices of one table of random numbers (Salimans et al. 2017)."""

import numpy as np

PAIRS = 32
SIGMA = 0.1
RATE = 0.1
PATIENCE = 3
TABLE = 400_000


def train(oracle, weights, X, target):
    rng = np.random.default_rng(0)
    table = rng.standard_normal(TABLE, dtype=np.float32)
    recent = []
    for points in X:
        noises = [_slices(rng, table, matrix.shape) for matrix in weights]
        logits = np.empty((2 * PAIRS, X.shape[1], len(weights[-1])), dtype=np.float32)
        for member in range(2 * PAIRS):
            logits[member] = _network(_moved(weights, noises, member), points)
        fitness = oracle.fitness(_moved(weights, noises, oracle.outputs(logits)))
        recent.append(fitness.mean())
        if np.mean(recent[-PATIENCE:]) >= target:
            break
        gains = ((fitness[0::2] - fitness[1::2]) / (fitness.std() + 1e-8)).astype(np.float32)
        scale = np.float32(RATE / (2 * PAIRS))
        weights = [
            matrix + scale * sum(gain * part for gain, part in zip(gains, noise, strict=True))
            for matrix, noise in zip(weights, noises, strict=True)
        ]
    return weights


def _slices(rng, table, shape):
    length = shape[0] * shape[1]
    starts = rng.integers(0, TABLE - length, PAIRS)
    return [table[start : start + length].reshape(shape) for start in starts]


def _moved(weights, noises, member):
    pair, sign = divmod(member, 2)
    scale = np.float32((1 - 2 * sign) * SIGMA)
    return [matrix + scale * noise[pair] for matrix, noise in zip(weights, noises, strict=True)]


def _network(matrices, points):
    first, second, last = matrices
    return np.tanh(np.tanh(points @ first.T) @ second.T) @ last.T
