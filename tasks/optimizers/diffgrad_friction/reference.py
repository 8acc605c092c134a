"""diffGrad (Dubey et al. 2020, equations 11 to 14): Adam with a friction coefficient.

xi = 1 / (1 + exp(-|g_{t-1} - g_t|)) entry by entry, between 1/2 where the gradient does not change and 1 where it
changes much; x <- x - lr xi m / (sqrt(v) + eps), with m and v of Adam, bias-corrected, and g_0 = 0.
"""

import numpy as np

FIRST = 0.9
SECOND = 0.999
EPSILON = 1e-8


def train(oracle, x0, N, lr):
    x, m, v, last = x0.copy(), np.zeros(x0.size), np.zeros(x0.size), np.zeros(x0.size)
    for t in range(1, N + 1):
        g = oracle.grad(x)
        friction = 1 / (1 + np.exp(-np.abs(last - g)))
        m = FIRST * m + (1 - FIRST) * g
        v = SECOND * v + (1 - SECOND) * g**2
        x = x - lr * friction * m / (1 - FIRST**t) / (np.sqrt(v / (1 - SECOND**t)) + EPSILON)
        last = g
    return x
