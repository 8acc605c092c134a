"""L-BFGS on the weights of a net of 50 units."""

import numpy as np
from scipy.optimize import minimize

UNITS = 50


def train(X, y, beta, max_units, seed):
    rng, d, m = np.random.default_rng(seed), X.shape[1], min(UNITS, max_units)

    def value_and_slope(z):
        W, a = z[: d * m].reshape(d, m), z[d * m :]
        hidden = np.maximum(X @ W, 0)
        error = hidden @ a - y
        slope = np.concatenate([(X.T @ ((hidden > 0) * np.outer(error, a))).ravel(), hidden.T @ error])
        return 0.5 * (error @ error + beta * (z @ z)), slope + beta * z

    start = np.concatenate([rng.standard_normal(d * m) * np.sqrt(2 / d), rng.standard_normal(m) / np.sqrt(m)])
    options = {"maxiter": 1000, "maxfun": 1200}
    z = minimize(value_and_slope, start, jac=True, method="L-BFGS-B", options=options).x
    return z[: d * m].reshape(d, m), z[d * m :]
