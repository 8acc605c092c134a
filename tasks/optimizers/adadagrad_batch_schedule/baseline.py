"""AdaGrad, entry by entry (Duchi, Hazan and Singer 2011), with the best fixed batch and rate of a grid."""

import numpy as np

# EVOLVE-BLOCK-START
RATE = 0.1
BATCH = 512
EPSILON = 1e-8


def train(oracle, x0, budget, overhead, bmax):
    x = x0
    total = np.zeros(x.size)
    left = budget
    while left >= overhead + BATCH:
        g, _ = oracle.sample(x, BATCH)
        left = left - overhead - BATCH
        total = total + g**2
        x = x - RATE * g / np.sqrt(total + EPSILON)
    return x


# EVOLVE-BLOCK-END
