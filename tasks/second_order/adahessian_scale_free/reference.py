"""AdaHessian (Yao et al. 2021, Algorithm 1) with a linear decay of the step size.

z Rademacher, D = z * (H z) estimates the Hessian's diagonal (Hutchinson); m <- b1 m + (1 - b1) g,
v <- b2 v + (1 - b2) D^2, both bias-corrected; x <- x - eta m / (v^(1/2) + eps).
"""

import numpy as np

RATE = 0.15
FIRST = 0.9
SECOND = 0.999
EPSILON = 1e-8
COST = 3


def minimise(oracle, x0, budget):
    rng = np.random.default_rng(0)
    x, m, v = x0.copy(), np.zeros(x0.size), np.zeros(x0.size)
    steps = budget // COST
    for t in range(1, steps + 1):
        z = rng.choice([-1.0, 1.0], x.size)
        g, diagonal = oracle.grad(x), z * oracle.hvp(x, z)
        m = FIRST * m + (1 - FIRST) * g
        v = SECOND * v + (1 - SECOND) * diagonal**2
        mean, scale = m / (1 - FIRST**t), np.sqrt(v / (1 - SECOND**t)) + EPSILON
        x = x - RATE * (1 - (t - 1) / steps) * mean / scale
    return x
