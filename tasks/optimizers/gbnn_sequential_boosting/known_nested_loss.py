"""Joint training on the mean of the losses of the first H/8, H/4, H/2 and H units, as in nested dropout."""

import numpy as np
from scipy.optimize import minimize

DECAY = 0.001
ITERATIONS = 200


def slope_of(F, Y, task):
    if task == "regression":
        return 0.5 * np.mean((F - Y) ** 2), (F - Y) / len(Y)
    shares = np.exp(F - F.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return -np.mean(np.log(np.sum(shares * Y, axis=1) + 1e-300)), (shares - Y) / len(Y)


def fit(X, Y, task, H, seed):
    rng, p, K = np.random.default_rng(seed), X.shape[1], Y.shape[1]
    cuts, widths = np.cumsum([p * H, H, H * K]), (H // 8, H // 4, H // 2, H)

    def split(flat):
        W1, b1, W2, b2 = np.split(flat, cuts)
        return W1.reshape(p, H), b1, W2.reshape(H, K), b2

    def loss(flat):
        W1, b1, W2, b2 = split(flat)
        hidden = np.tanh(X @ W1 + b1)
        value = 0.5 * DECAY * (np.sum(W1**2) + np.sum(W2**2))
        into_hidden, into_outer, into_bias = np.zeros_like(hidden), DECAY * W2, np.zeros(K)
        for k in widths:
            part, slope = slope_of(hidden[:, :k] @ W2[:k] + b2, Y, task)
            value += part / len(widths)
            slope /= len(widths)
            into_hidden[:, :k] += slope @ W2[:k].T
            into_outer[:k] += hidden[:, :k].T @ slope
            into_bias += slope.sum(axis=0)
        back = into_hidden * (1 - hidden**2)
        parts = (X.T @ back + DECAY * W1, back.sum(axis=0), into_outer, into_bias)
        return value, np.concatenate([part.ravel() for part in parts])

    inner, outer = rng.standard_normal(p * H) / np.sqrt(p), rng.standard_normal(H * K) / np.sqrt(H)
    start = np.concatenate([inner, np.zeros(H), outer, np.zeros(K)])
    return split(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x)
