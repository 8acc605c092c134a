"""Linear amortisation (Nguyen and Ho 2022, Amortized Projection Optimization): f = w0 + X'w1 + Y'w2, by Adam."""

import numpy as np

# EVOLVE-BLOCK-START
STEPS = 300
BATCH = 48
DIRECTIONS = 4
RATE = 2e-2


def location_gradient(X, Y, f, kappa, rng):
    length = np.linalg.norm(f, axis=1, keepdims=True)
    shifted = (f / length)[:, None] + rng.normal(0, kappa**-0.5, (len(f), DIRECTIONS, f.shape[1]))
    size = np.linalg.norm(shifted, axis=2, keepdims=True)
    theta = shifted / size
    x, y = X @ theta.transpose(0, 2, 1), Y @ theta.transpose(0, 2, 1)
    order_x, order_y = x.argsort(axis=1), y.argsort(axis=1)
    gap = np.take_along_axis(x, order_x, 1) - np.take_along_axis(y, order_y, 1)
    pull_x, pull_y = np.empty_like(x), np.empty_like(y)
    np.put_along_axis(pull_x, order_x, gap, 1)
    np.put_along_axis(pull_y, order_y, gap, 1)
    slope = pull_x.transpose(0, 2, 1) @ X - pull_y.transpose(0, 2, 1) @ Y
    slope = ((slope - (slope * theta).sum(2, keepdims=True) * theta) / size).mean(axis=1)
    slope -= (slope * f).sum(axis=1, keepdims=True) * f / length**2
    return slope * 2 / (X.shape[1] * len(X) * length)


def predict(model, X, Y):
    w0, w1, w2 = model
    return w0 + np.einsum("bjd,j->bd", X, w1) + np.einsum("bjd,j->bd", Y, w2)


def fit(train_X, train_Y, kappa, seed):
    rng = np.random.default_rng(seed)
    m, d = train_X.shape[1:]
    weights = [rng.normal(size=d), rng.normal(size=m) / m, rng.normal(size=m) / m]
    first = [np.zeros_like(value) for value in weights]
    second = [np.zeros_like(value) for value in weights]
    for step in range(1, STEPS + 1):
        rows = rng.integers(0, len(train_X), BATCH)
        X, Y = train_X[rows], train_Y[rows]
        slope = location_gradient(X, Y, predict(weights, X, Y), kappa, rng)
        gradients = [slope.sum(axis=0), np.einsum("bjd,bd->j", X, slope), np.einsum("bjd,bd->j", Y, slope)]
        for k in range(3):
            first[k] += 0.1 * (gradients[k] - first[k])
            second[k] += 0.01 * (gradients[k] ** 2 - second[k])
            unbiased = first[k] / (1 - 0.9**step)
            weights[k] = weights[k] + RATE * unbiased / (np.sqrt(second[k] / (1 - 0.99**step)) + 1e-8)
    return weights


# EVOLVE-BLOCK-END
