"""Stochastic gradient descent: one step on theta for each call, at a linearly decaying rate of 1 / L."""

import numpy as np

# EVOLVE-BLOCK-START
RATE = 1.0


def train(oracle, A, theta0, model, N, batch, seed):
    rng = np.random.default_rng(seed)
    theta = theta0
    rate = RATE * len(A) / np.linalg.norm(A, 2) ** 2
    for t in range(N):
        rows = rng.choice(len(A), batch, replace=False)
        z, hidden = forward(model, theta, A[rows])
        slopes = oracle.grad_z(rows, z) / batch
        theta = theta - rate * (1.0 - t / N) * backward(model, theta, A[rows], hidden, slopes)
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
    _, _, w = split(theta, X.shape[1])
    back = slopes[:, None] * w * (1.0 - hidden**2)
    return np.concatenate([(X.T @ back).ravel(), back.sum(axis=0), hidden.T @ slopes, [slopes.sum()]])


def split(theta, p):
    width = (theta.size - 1) // (p + 2)
    return theta[: p * width].reshape(p, width), theta[p * width : (p + 1) * width], theta[(p + 1) * width : -1]


# EVOLVE-BLOCK-END
