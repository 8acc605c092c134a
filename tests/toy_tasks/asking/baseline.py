import numpy as np

# EVOLVE-BLOCK-START
POINTS = 21


def search(oracle, budget):
    grid = np.linspace(0.0, 1.0, POINTS)
    values = [oracle.value(float(x)) for x in grid]
    return float(grid[int(np.argmin(values))])


# EVOLVE-BLOCK-END
