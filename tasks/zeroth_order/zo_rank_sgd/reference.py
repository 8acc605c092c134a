"""ZO-RankSGD (Tang, Rybin and Chang 2024, Algorithms 1 and 2, with the line search of their section 5).

A ranking of x + mu xi_i is a graph with an edge (i, j) wherever i is known to be better than j; the mean of xi_j - xi_i
over the edges is an ascent direction g. The next question ranks x - eta gamma^l g for l = 0, 1, ... and x itself.
"""

import numpy as np

MU = 0.01
ETA = 10.0
GAMMA = 0.5


def optimise(oracle, x0, m, k, Q):
    rng = np.random.default_rng(0)
    x = x0.copy()
    for _ in range(Q // 2):
        noise = rng.standard_normal((m, x.size))
        g = _direction(noise, oracle.rank(x + MU * noise))
        steps = np.append(ETA * GAMMA ** np.arange(m - 1), 0.0)
        x = x - steps[oracle.rank(x - steps[:, None] * g)[0]] * g
    return x


def _direction(noise, best):
    """Mean of (worse - better) over all pairs of rows whose order the ranking tells."""
    m, k = len(noise), len(best)
    weights = np.full(m, float(k))
    weights[best] = 2.0 * np.arange(k) - (m - 1)
    edges = k * (k - 1) / 2 + k * (m - k)
    return weights @ noise / edges
