"""SSO (Lavington, Vaswani, Babanezhad, Schmidt and Le Roux 2023, Algorithm 1): many cheap steps a costly gradient.

With g = dl/dz at z_t = f(theta_t), the surrogate q(theta) = g'(f(theta) - z_t) + |f(theta) - z_t|^2 / (2 eta) bounds
the batch's loss from above where 1 / eta is at least its curvature in z. ``INNER`` steps of gradient descent with a
line search go down q from theta_t without a further call; eta falls with the calls left.
"""

import numpy as np

ETA = 1.0
INNER = 20


def train(oracle, A, theta0, model, N, batch, seed):
    rng = np.random.default_rng(seed)
    theta = theta0.copy()
    for t in range(N):
        rows = rng.choice(len(A), batch, replace=False)
        X, eta = A[rows], ETA * (1 - t / N)
        z, _ = forward(model, theta, X)
        g = oracle.grad_z(rows, z)
        theta = descend(model, theta, X, z, g, eta)
    return theta


def descend(model, theta, X, z, g, eta):
    step = 2 * eta / np.linalg.norm(X, 2) ** 2
    for _ in range(INNER):
        now, hidden = forward(model, theta, X)
        moved = now - z
        here = g @ moved + moved @ moved / (2 * eta)
        slope = backward(model, theta, X, hidden, g + moved / eta)
        while True:
            near = theta - step * slope
            shift = forward(model, near, X)[0] - z
            if g @ shift + shift @ shift / (2 * eta) <= here - 0.5 * step * (slope @ slope) or step < 1e-12:
                break
            step /= 2
        theta, step = near, 1.5 * step
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
