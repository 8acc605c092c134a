"""EGGROLL (Sarkar et al. 2025, section 4): perturbations A_i B_i^T / sqrt(r) of rank r, in pairs of opposite sign.

All members go through a layer W at once: their product with W is one matrix product, and the perturbation adds
sigma / sqrt(r) (x B_i) A_i^T. The update sum_i w_i A_i B_i^T is one matrix product as well, of rank up to r times the
number of pairs; w_i is the difference of a pair's fitness over the standard deviation of all.
"""

import numpy as np

PAIRS = 32
SIGMA = 0.1
RATE = 0.1
RANK = 1
PATIENCE = 3


def train(oracle, weights, X, target):
    rng = np.random.default_rng(0)
    recent = []
    for points in X:
        factors = [_factors(rng, matrix.shape) for matrix in weights]
        logits = np.stack([_forward(weights, factors, points, scale) for scale in (SIGMA, -SIGMA)], axis=1)
        pair, sign = divmod(oracle.outputs(logits.reshape(-1, *logits.shape[2:])), 2)
        scale = (1 - 2 * sign) * SIGMA / np.sqrt(RANK)
        proof = [matrix + scale * a[pair] @ b[pair].T for matrix, (a, b) in zip(weights, factors, strict=True)]
        fitness = oracle.fitness(proof)
        recent.append(fitness.mean())
        if np.mean(recent[-PATIENCE:]) >= target:
            break
        gains = (fitness[0::2] - fitness[1::2]) / (fitness.std() + 1e-8)
        weights = [matrix + _update(gains, *pairs) for matrix, pairs in zip(weights, factors, strict=True)]
    return weights


def _factors(rng, shape):
    """A (pairs, m, r) and B (pairs, n, r) of a matrix (m, n)."""
    return tuple(rng.standard_normal((PAIRS, length, RANK), dtype=np.float32) for length in shape)


def _forward(weights, factors, points, scale):
    """Outputs (pairs, b, c) of the members on one side."""
    x = points[None]
    for number, (matrix, (a, b)) in enumerate(zip(weights, factors, strict=True)):
        shared = (x.reshape(-1, x.shape[2]) @ matrix.T).reshape(*x.shape[:2], -1)
        sums = shared + np.float32(scale / np.sqrt(RANK)) * (x @ b) @ a.mT
        x = np.tanh(sums) if number + 1 < len(weights) else sums
    return x


def _update(gains, a, b):
    weighted = (gains[:, None, None] * a).astype(np.float32).transpose(1, 0, 2).reshape(a.shape[1], -1)
    step = weighted @ b.transpose(1, 0, 2).reshape(b.shape[1], -1).T
    return np.float32(RATE / (2 * PAIRS * np.sqrt(RANK))) * step
