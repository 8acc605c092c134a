"""The step size of worst-case theory for the last iterate, one over the square root of the step's number."""

import numpy as np

# EVOLVE-BLOCK-START


def schedule(T, gnorm, optimizer):
    t = np.arange(1, T + 1)
    return 1.0 / np.sqrt(t)


# EVOLVE-BLOCK-END
