"""Joint training of all units by L-BFGS with weight decay; the units with the largest output weights come first."""

import numpy as np
from scipy.optimize import minimize

# EVOLVE-BLOCK-START
DECAY = 0.001
ITERATIONS = 200


def error(F, Y, task):
    if task == "regression":
        return 0.5 * np.mean((F - Y) ** 2), (F - Y) / len(Y)
    scores = F - F.max(axis=1, keepdims=True)
    shares = np.exp(scores)
    shares = shares / shares.sum(axis=1, keepdims=True)
    return -np.mean(np.log(np.sum(shares * Y, axis=1) + 1e-300)), (shares - Y) / len(Y)


def fit(X, Y, task, H, seed):
    rng = np.random.default_rng(seed)
    p = X.shape[1]
    K = Y.shape[1]
    cuts = np.cumsum([p * H, H, H * K])

    def split(flat):
        W1, b1, W2, b2 = np.split(flat, cuts)
        return W1.reshape(p, H), b1, W2.reshape(H, K), b2

    def loss(flat):
        W1, b1, W2, b2 = split(flat)
        hidden = np.tanh(X @ W1 + b1)
        value, slope = error(hidden @ W2 + b2, Y, task)
        back = (slope @ W2.T) * (1.0 - hidden**2)
        value = value + 0.5 * DECAY * (np.sum(W1**2) + np.sum(W2**2))
        parts = [X.T @ back + DECAY * W1, back.sum(axis=0), hidden.T @ slope + DECAY * W2, slope.sum(axis=0)]
        return value, np.concatenate([part.ravel() for part in parts])

    inner = rng.standard_normal(p * H) / np.sqrt(p)
    outer = rng.standard_normal(H * K) / np.sqrt(H)
    start = np.concatenate([inner, np.zeros(H), outer, np.zeros(K)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    W1, b1, W2, b2 = split(found.x)
    order = np.argsort(-np.sum(np.abs(W2), axis=1))
    return W1[:, order], b1[order], W2[order], b2


# EVOLVE-BLOCK-END
