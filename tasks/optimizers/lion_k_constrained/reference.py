"""Lion-kappa (Chen, Liu, Liang and Liu 2024, section 3) with kappa(x) = the sum of the groups' lengths.

c = b1 m + (1 - b1) g;  m <- b2 m + (1 - b2) g;  x <- x - eta (dkappa(c) + lambda x), dkappa(c) being c over its length,
group by group (its sign, for single coordinates). With lambda = 1 / radius the iteration stays in the set once it is
there and minimises over it: the weight decay is a constraint. eta falls linearly.
"""

import numpy as np

RATE = 0.02
INTERPOLATION = 0.9
MOMENTUM = 0.99


def minimise(oracle, x0, N, groups, radius):
    x, m = x0.copy(), np.zeros(x0.size)
    for t in range(N):
        g = oracle.grad(x)
        c = INTERPOLATION * m + (1 - INTERPOLATION) * g
        m = MOMENTUM * m + (1 - MOMENTUM) * g
        direction = c / (np.sqrt(np.bincount(groups, weights=c**2))[groups] + 1e-300)
        x = x - RATE * radius * (1 - t / N) * (direction + x / radius)
    return x
