"""Half a cosine, from one to zero."""

import numpy as np


def schedule(T, gnorm, optimizer):
    return 0.5 * (1 + np.cos(np.pi * np.arange(T) / T))
