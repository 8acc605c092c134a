"""Gradientless descent (Golovin et al. 2020): points around the best so far at radii from large to small."""

import numpy as np

# EVOLVE-BLOCK-START
LARGEST_RADIUS = 1.0
SMALLEST_RADIUS = 0.03


def optimise(oracle, x0, m, k, Q):
    rng = np.random.default_rng(0)
    x = x0
    radii = np.geomspace(LARGEST_RADIUS, SMALLEST_RADIUS, m - 1)
    for _ in range(Q):
        noise = rng.standard_normal((m - 1, x.size))
        length = np.sqrt(np.sum(noise**2, axis=1))
        steps = noise * (radii / length)[:, None]
        points = np.vstack([x[None, :], x + steps])
        best = oracle.rank(points)
        x = points[best[0]]
    return x


# EVOLVE-BLOCK-END
