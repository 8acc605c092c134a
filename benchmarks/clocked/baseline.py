import numpy as np


def running_sums(x):
    sums = np.zeros(len(x))
    total = 0.0
    for i in range(len(x)):
        total += x[i]
        sums[i] = total
    return sums
