"""Evolution strategy with weighted recombination and cumulative step-size adaptation (Hansen and Ostermeier 2001)."""

import numpy as np

SIGMA = 0.3


def optimise(oracle, x0, m, k, Q):
    rng = np.random.default_rng(0)
    d, parents = x0.size, min(k, m // 2)
    weights = np.log(m / 2 + 0.5) - np.log(np.arange(1, parents + 1))
    weights /= weights.sum()
    effective = 1 / np.sum(weights**2)
    memory = (effective + 2) / (d + effective + 5)
    damping = 1 + 2 * max(0.0, np.sqrt((effective - 1) / (d + 1)) - 1) + memory
    expected = np.sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d**2))
    x, sigma, path = x0.copy(), SIGMA, np.zeros(d)
    for _ in range(Q):
        noise = rng.standard_normal((m, d))
        step = weights @ noise[oracle.rank(x + sigma * noise)[:parents]]
        x = x + sigma * step
        path = (1 - memory) * path + np.sqrt(memory * (2 - memory) * effective) * step
        sigma *= np.exp(memory / damping * (np.linalg.norm(path) / expected - 1))
    return x
