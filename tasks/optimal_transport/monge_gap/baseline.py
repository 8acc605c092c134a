"""A perceptron fitted to the target by the Sinkhorn divergence alone (Genevay, Peyre and Cuturi 2018), by Adam."""

import numpy as np

# EVOLVE-BLOCK-START
WIDTH = 48
STEPS = 250
BATCH = 96
RATE = 4e-3
BLUR = 0.05
ITERATIONS = 20


def fit_map(X, Y, cost, X_test, seed):
    rng = np.random.default_rng(seed)
    d = X.shape[1]
    sizes = ((d, WIDTH), (WIDTH, WIDTH), (WIDTH, d))
    weights = [rng.normal(0, size[0] ** -0.5, size) for size in sizes] + [np.zeros(size[1]) for size in sizes]
    first = [np.zeros_like(value) for value in weights]
    second = [np.zeros_like(value) for value in weights]
    for step in range(1, STEPS + 1):
        x = X[rng.integers(0, len(X), BATCH)]
        y = Y[rng.integers(0, len(Y), BATCH)]
        z, backward = mapped(weights, x)
        gradients = backward(slope(x, y, z, cost))
        for k in range(6):
            first[k] += 0.1 * (gradients[k] - first[k])
            second[k] += 0.01 * (gradients[k] ** 2 - second[k])
            unbiased = first[k] / (1 - 0.9**step)
            weights[k] = weights[k] - RATE * unbiased / (np.sqrt(second[k] / (1 - 0.99**step)) + 1e-8)
    return mapped(weights, X_test)[0]


def slope(x, y, z, cost):
    return divergence_gradient(z, y)


def divergence_gradient(z, y):
    across, within = plan(squares(z, y), BLUR), plan(squares(z, z), BLUR)
    return (z / len(z) - across @ y) - (z / len(z) - 0.5 * (within + within.T) @ z)


def squares(x, y):
    return 0.5 * ((x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * x @ y.T)


def plan(C, blur):
    K = np.exp((C.min(axis=1, keepdims=True) - C) / (blur * C.mean()))
    v = np.full(C.shape[1], 1 / C.shape[1])
    for _ in range(ITERATIONS):
        v = 1 / (C.shape[1] * (K.T @ (1 / (C.shape[0] * (K @ v) + 1e-30))) + 1e-30)
    u = 1 / (C.shape[0] * (K @ v) + 1e-30)
    return u[:, None] * K * v


def mapped(weights, x):
    A, B, C, a, b, c = weights
    first = x @ A + a
    gate_1 = 1 / (1 + np.exp(-first))
    hidden_1 = first * gate_1
    second = hidden_1 @ B + b
    gate_2 = 1 / (1 + np.exp(-second))
    hidden_2 = second * gate_2

    def backward(slope):
        d_2 = (slope @ C.T) * gate_2 * (1 + second * (1 - gate_2))
        d_1 = (d_2 @ B.T) * gate_1 * (1 + first * (1 - gate_1))
        return [x.T @ d_1, hidden_1.T @ d_2, hidden_2.T @ slope, d_1.sum(axis=0), d_2.sum(axis=0), slope.sum(axis=0)]

    return x + hidden_2 @ C + c, backward


# EVOLVE-BLOCK-END
