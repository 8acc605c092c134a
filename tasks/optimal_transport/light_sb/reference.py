"""Light Schroedinger bridge (Korotin, Gushchin and Burnaev 2024, sections 3.1 and 3.2).

The potential is a mixture v(y) = sum_k a_k N(y | r_k, eps S_k) with diagonal S_k. Then the conditional is one too,
pi(y | x) = sum_k w_k(x) N(y | r_k + S_k x, eps S_k) with w_k(x) ~ a_k exp((x'S_k x + 2 r_k'x) / (2 eps)), and its
normaliser c(x) is known. The divergence from the bridge is, up to a constant, E log c(x0) - E log v(x1), which needs
no simulation and is minimised on minibatches by Adam.
"""

import numpy as np

COMPONENTS = 10
STEPS = 900
BATCH = 128
RATE = 1e-2
FIRST_S = 0.1


def fit_sample(X0, X1, eps, X_test, n_per, seed):
    rng = np.random.default_rng(seed)
    log_a, r, S = fit(X0, X1, eps, rng)
    weights = softmax(component_scores(X_test, log_a, r, S, eps))
    samples = np.empty((len(X_test), n_per, X_test.shape[1]))
    for i, x in enumerate(X_test):
        k = rng.choice(COMPONENTS, n_per, p=weights[i])
        samples[i] = r[k] + S[k] * x + np.sqrt(eps * S[k]) * rng.standard_normal((n_per, len(x)))
    return samples


def fit(X0, X1, eps, rng):
    """log a (K,), r (K, D) and the diagonals S (K, D)."""
    d = X0.shape[1]
    r = X1[rng.choice(len(X1), COMPONENTS, replace=False)]
    weights = [np.zeros(COMPONENTS), r, np.full((COMPONENTS, d), np.log(FIRST_S))]
    first, second = ([np.zeros_like(value) for value in weights] for _ in range(2))
    for step in range(1, STEPS + 1):
        x = X0[rng.integers(0, len(X0), BATCH)]
        y = X1[rng.integers(0, len(X1), BATCH)]
        log_a, r, log_S = weights
        for k, gradient in enumerate(loss_gradient(x, y, log_a, r, log_S, eps)):
            first[k] += 0.1 * (gradient - first[k])
            second[k] += 0.001 * (gradient**2 - second[k])
            unbiased = first[k] / (1 - 0.9**step)
            weights[k] = weights[k] - RATE * unbiased / (np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8)
    log_a, r, log_S = weights
    return log_a, r, np.exp(log_S)


def loss_gradient(x, y, log_a, r, log_S, eps):
    """Gradients of mean log c(x) - mean log v(y) in log a, r and log S."""
    S = np.exp(log_S)
    p = softmax(component_scores(x, log_a, r, S, eps)) / len(x)
    precision = 1 / (eps * S)
    squares = y**2 @ precision.T - 2 * y @ (r * precision).T + (r**2 * precision).sum(axis=1)
    q = softmax(log_a - 0.5 * squares + 0.5 * np.log(precision).sum(axis=1)) / len(y)
    mass, first, second = q.sum(axis=0)[:, None], q.T @ y, q.T @ y**2
    in_log_a = p.sum(axis=0) - mass[:, 0]
    in_r = p.T @ x / eps - (first - mass * r) * precision
    in_log_S = S * (p.T @ x**2) / (2 * eps) - 0.5 * (second - 2 * first * r + mass * r**2) * precision + 0.5 * mass
    return in_log_a, in_r, in_log_S


def component_scores(x, log_a, r, S, eps):
    """log w_k(x) up to normalisation, shape (points, K)."""
    return log_a + (x**2 @ S.T + 2 * x @ r.T) / (2 * eps)


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
