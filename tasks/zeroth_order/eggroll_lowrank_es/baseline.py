"""Evolution strategy with dense Gaussian perturbations in pairs of opposite sign (Salimans et al. 2017)."""

import numpy as np

# EVOLVE-BLOCK-START
PAIRS = 32
SIGMA = 0.1
RATE = 0.1
PATIENCE = 3


def network(matrices, points):
    first, second, last = matrices
    hidden = np.tanh(points @ first.T)
    hidden = np.tanh(hidden @ second.T)
    return hidden @ last.T


def train(oracle, weights, X, target):
    rng = np.random.default_rng(0)
    recent = []
    for points in X:
        noises = []
        logits = []
        for _ in range(PAIRS):
            noise = [rng.standard_normal(matrix.shape, dtype=np.float32) for matrix in weights]
            noises.append(noise)
            for sign in (1.0, -1.0):
                moved = [matrix + sign * SIGMA * part for matrix, part in zip(weights, noise, strict=True)]
                logits.append(network(moved, points))
        member = oracle.outputs(np.stack(logits))
        sign = 1.0 - 2.0 * (member % 2)
        proof = [matrix + sign * SIGMA * part for matrix, part in zip(weights, noises[member // 2], strict=True)]
        fitness = oracle.fitness(proof)
        recent.append(np.mean(fitness))
        if np.mean(recent[-PATIENCE:]) >= target:
            break
        gains = (fitness[0::2] - fitness[1::2]) / (np.std(fitness) + 1e-8)
        scale = RATE / (2 * PAIRS)
        for k in range(len(weights)):
            step = np.zeros_like(weights[k])
            for pair in range(PAIRS):
                step = step + np.float32(gains[pair]) * noises[pair][k]
            weights[k] = weights[k] + scale * step
    return weights


# EVOLVE-BLOCK-END
