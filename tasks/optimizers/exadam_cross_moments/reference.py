"""EXAdam (Adly 2024, second version, Algorithm 1): debiasing across the moments, and the gradient once more.

m~ = m / (1 - b1^t) (1 + v / (v + eps) b2^t), v~ = v / (1 - b2^t) (1 + m^2 / (m^2 + eps) b1^t),
g~ = g / (1 - b1^t) (1 + v / (v + eps) b2^t), and x <- x - lr (m~ + g~) / (sqrt(v~) + eps).
"""

import numpy as np

FIRST = 0.9
SECOND = 0.999
EPSILON = 1e-8


def train(oracle, x0, N, lr):
    x, m, v = x0.copy(), np.zeros(x0.size), np.zeros(x0.size)
    for t in range(1, N + 1):
        g = oracle.grad(x)
        m = FIRST * m + (1 - FIRST) * g
        v = SECOND * v + (1 - SECOND) * g**2
        boost = 1 + v / (v + EPSILON) * SECOND**t
        mean, accelerated = m / (1 - FIRST**t) * boost, g / (1 - FIRST**t) * boost
        scale = v / (1 - SECOND**t) * (1 + m**2 / (m**2 + EPSILON) * FIRST**t)
        x = x - lr * (mean + accelerated) / (np.sqrt(scale) + EPSILON)
    return x
