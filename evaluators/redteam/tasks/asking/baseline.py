import numpy as np


# EVOLVE-BLOCK-START
def search(oracle):
    grid = np.linspace(0.0, 1.0, 21)
    values = [oracle.value(float(x)) for x in grid]
    return float(grid[int(np.argmin(values))])


# EVOLVE-BLOCK-END
