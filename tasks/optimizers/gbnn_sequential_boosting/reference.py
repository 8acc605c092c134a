"""GBNN (Emami and Martinez-Munoz 2023, Algorithm 1): a network grown by gradient boosting.

F_0 is the best constant. Each step fits a small network h of J units to the pseudo-residuals -dL/dF by least squares,
then F <- F + nu rho h with one Newton step rho per output: sum r h / sum h^2 for the squared loss,
sum r h / sum h^2 p (1 - p) for the softmax. The steps' units side by side are one network. The small networks have no
output bias, so that the first k units are the boosted model as it was after k / J steps.
"""

import numpy as np
from scipy.optimize import minimize

UNITS = 5
SHRINKAGE = 0.7
DECAY = 1e-3
ITERATIONS = 100


def softmax(F):
    shares = np.exp(F - F.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def fit(X, Y, task, H, seed):
    rng = np.random.default_rng(seed)
    b2 = Y.mean(axis=0) if task == "regression" else np.log(Y.mean(axis=0) + 1e-9)
    F, steps = np.tile(b2, (len(X), 1)), []
    for first in range(0, H, UNITS):
        P = softmax(F)
        residuals, curvature = (Y - F, np.ones_like(F)) if task == "regression" else (Y - P, P * (1 - P))
        W1, b1, W2 = small_network(X, residuals, min(UNITS, H - first), rng)
        h = np.tanh(X @ W1 + b1) @ W2
        rho = np.sum(residuals * h, axis=0) / (np.sum(curvature * h**2, axis=0) + 1e-9)
        F = F + SHRINKAGE * rho * h
        steps.append((W1, b1, SHRINKAGE * rho * W2))
    W1, b1, W2 = zip(*steps, strict=True)
    return np.hstack(W1), np.concatenate(b1), np.vstack(W2), b2


def small_network(X, residuals, units, rng):
    """Least squares fit of tanh(X W1 + b1) W2 to the residuals, scaled to unit size, by L-BFGS."""
    (n, p), K, scale = X.shape, residuals.shape[1], residuals.std() + 1e-12
    cuts = np.cumsum([p * units, units])

    def split(flat):
        W1, b1, W2 = np.split(flat, cuts)
        return W1.reshape(p, units), b1, W2.reshape(units, K)

    def loss(flat):
        W1, b1, W2 = split(flat)
        hidden = np.tanh(X @ W1 + b1)
        wrong = hidden @ W2 - residuals / scale
        back = wrong @ W2.T * (1 - hidden**2) / n
        value = 0.5 * np.sum(wrong**2) / n + 0.5 * DECAY * (np.sum(W1**2) + np.sum(W2**2))
        parts = (X.T @ back + DECAY * W1, back.sum(axis=0), hidden.T @ wrong / n + DECAY * W2)
        return value, np.concatenate([part.ravel() for part in parts])

    inner, outer = rng.standard_normal(p * units) / np.sqrt(p), rng.standard_normal(units * K) / np.sqrt(units)
    start = np.concatenate([inner, np.zeros(units), outer])
    W1, b1, W2 = split(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x)
    return W1, b1, scale * W2
