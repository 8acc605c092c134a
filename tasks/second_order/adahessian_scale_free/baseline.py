"""Adam (Kingma and Ba 2015) with its published constants and a linear decay of the step size."""

import numpy as np

# EVOLVE-BLOCK-START
RATE = 0.001
FIRST = 0.9
SECOND = 0.999
EPSILON = 1e-8
COST = 1


def minimise(oracle, x0, budget):
    x = x0
    m = np.zeros(x.size)
    v = np.zeros(x.size)
    steps = budget // COST
    for t in range(1, steps + 1):
        g = oracle.grad(x)
        m = FIRST * m + (1.0 - FIRST) * g
        v = SECOND * v + (1.0 - SECOND) * g**2
        mean = m / (1.0 - FIRST**t)
        scale = np.sqrt(v / (1.0 - SECOND**t)) + EPSILON
        rate = RATE * (1.0 - (t - 1) / steps)
        x = x - rate * mean / scale
    return x


# EVOLVE-BLOCK-END
