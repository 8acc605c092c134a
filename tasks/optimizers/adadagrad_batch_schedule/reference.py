"""AdAdaGrad (Lau, Liu and Kolar 2024): AdaGrad whose batch grows by the norm test.

After a step with batch b the test asks whether sum_j var_j / b <= eta^2 |g|^2, with var the gradients' sample variance
and g their mean; if not, b becomes the least batch that would have passed, at most ``bmax``, and never shrinks.
"""

import numpy as np

RATE = 0.3
FIRST_BATCH = 32
ETA = 1.0
EPSILON = 1e-8


def train(oracle, x0, budget, overhead, bmax):
    x, total, left, batch = x0.copy(), np.zeros(x0.size), budget, FIRST_BATCH
    while left >= overhead + batch:
        g, variance = oracle.sample(x, batch)
        left -= overhead + batch
        total += g**2
        x = x - RATE * g / np.sqrt(total + EPSILON)
        batch = max(batch, int(np.ceil(min(variance.sum() / (ETA**2 * (g @ g) + 1e-300), bmax))))
    return x
