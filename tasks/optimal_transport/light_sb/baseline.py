"""Entropic transport between the samples by stabilised Sinkhorn; conditionals at new points by its potential.

pi(y_j | x) is proportional to exp((g_j - |x - y_j|^2 / 2) / eps): points of the second sample are drawn again.
"""

import numpy as np

# EVOLVE-BLOCK-START
ROUNDS = 12
ITERATIONS = 10


def half_squares(X, Y):
    return 0.5 * ((X**2).sum(axis=1)[:, None] + (Y**2).sum(axis=1) - 2 * X @ Y.T)


def soft_minimum(values, eps, axis):
    least = values.min(axis=axis, keepdims=True)
    mean = np.exp((least - values) / eps).mean(axis=axis)
    return np.squeeze(least, axis) - eps * np.log(mean)


def fit_sample(X0, X1, eps, X_test, n_per, seed):
    rng = np.random.default_rng(seed)
    C = half_squares(X0, X1)
    f = soft_minimum(C, eps, axis=1)
    g = soft_minimum(C - f[:, None], eps, axis=0)
    for _ in range(ROUNDS):
        K = np.exp((f[:, None] + g - C) / eps)
        u, v = np.ones(len(X0)), np.ones(len(X1))
        for _ in range(ITERATIONS):
            u = len(X1) / (K @ v)
            v = len(X0) / (u @ K)
        f = f + eps * np.log(u)
        g = g + eps * np.log(v)
    scores = (g - half_squares(X_test, X1)) / eps
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.stack([X1[rng.choice(len(X1), n_per, p=row)] for row in weights])


# EVOLVE-BLOCK-END
