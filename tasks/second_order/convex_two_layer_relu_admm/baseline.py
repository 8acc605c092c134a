"""Adam (Kingma and Ba 2015) with all data in each step, on a net of half the allowed units; the rate falls linearly."""

import numpy as np

# EVOLVE-BLOCK-START
STEPS = 2000
RATE = 0.01
FIRST = 0.9
SECOND = 0.999


def train(X, y, beta, max_units, seed):
    rng = np.random.default_rng(seed)
    d, units = X.shape[1], max_units // 2
    W = rng.standard_normal((d, units)) * np.sqrt(2.0 / d)
    a = rng.standard_normal(units) / np.sqrt(units)
    mW, vW = np.zeros((d, units)), np.zeros((d, units))
    ma, va = np.zeros(units), np.zeros(units)
    for t in range(1, STEPS + 1):
        hidden = np.maximum(X @ W, 0.0)
        error = hidden @ a - y
        ga = hidden.T @ error + beta * a
        gW = X.T @ (np.sign(hidden) * np.outer(error, a)) + beta * W
        mW, vW = FIRST * mW + (1.0 - FIRST) * gW, SECOND * vW + (1.0 - SECOND) * gW**2
        ma, va = FIRST * ma + (1.0 - FIRST) * ga, SECOND * va + (1.0 - SECOND) * ga**2
        step = RATE * (1.0 - (t - 1) / STEPS) / (1.0 - FIRST**t)
        correction = 1.0 - SECOND**t
        W = W - step * mW / (np.sqrt(vW / correction) + 1e-8)
        a = a - step * ma / (np.sqrt(va / correction) + 1e-8)
    return W, a


# EVOLVE-BLOCK-END
