import numpy as np

# EVOLVE-BLOCK-START
FACTOR = 1.4


def solve(x):
    y = np.zeros_like(x)
    for step in range(2):
        y = y + 0.5 * (FACTOR * x - y)
    return y


# EVOLVE-BLOCK-END
