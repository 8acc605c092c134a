"""Adam on theta, one step for each call, at a linearly decaying rate."""

import numpy as np

RATE = 0.1


def train(oracle, A, theta0, model, N, batch, seed):
    rng = np.random.default_rng(seed)
    theta, m, v = theta0.copy(), np.zeros(theta0.size), np.zeros(theta0.size)
    for t in range(1, N + 1):
        rows = rng.choice(len(A), batch, replace=False)
        z, hidden = forward(model, theta, A[rows])
        slopes = oracle.grad_z(rows, z) / batch
        g = backward(model, theta, A[rows], hidden, slopes)
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        rate = RATE * (1 - (t - 1) / N)
        theta = theta - rate * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
    return theta


def forward(model, theta, X):
    if model == "linear":
        return X @ theta, X
    W, b, w = split(theta, X.shape[1])
    hidden = np.tanh(X @ W + b)
    return hidden @ w + theta[-1], hidden


def backward(model, theta, X, hidden, slopes):
    if model == "linear":
        return X.T @ slopes
    back = slopes[:, None] * split(theta, X.shape[1])[2] * (1 - hidden**2)
    return np.concatenate([(X.T @ back).ravel(), back.sum(axis=0), hidden.T @ slopes, [slopes.sum()]])


def split(theta, p):
    width = (theta.size - 1) // (p + 2)
    return theta[: p * width].reshape(p, width), theta[p * width : (p + 1) * width], theta[(p + 1) * width : -1]
