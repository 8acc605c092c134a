"""ChebCB (Khodak et al. 2024, Learning to Relax, Algorithm 3): a contextual bandit over a grid of parameters.

Of each parameter the iterations are regressed on Chebyshev polynomials of the context (ridge regression). SquareCB
turns the predictions f into probabilities: p_a = 1 / (d + gamma_t (f_a - min f)) for all but the best, gamma_t growing
as sqrt(t). The context is the logarithm of the shift, scaled to [-1, 1].
"""

import numpy as np
from numpy.polynomial.chebyshev import chebvander

OMEGAS = np.linspace(1.0, 1.9, 10)
DEGREE = 2
RIDGE = 0.1
LOSS_UNIT = 100.0
EXPLOITATION = 800.0


def tune(oracle, shift, systems, low, high, seed):
    rng = np.random.default_rng(seed)
    d, width = len(OMEGAS), DEGREE + 1
    moments = np.tile(RIDGE * np.eye(width), (d, 1, 1))
    targets = np.zeros((d, width))
    for t in range(1, systems + 1):
        context = chebvander(2 * np.log(shift / low) / np.log(high / low) - 1, DEGREE).ravel()
        predicted = np.linalg.solve(moments, targets[:, :, None])[:, :, 0] @ context
        arm = rng.choice(d, p=square_cb(predicted, EXPLOITATION * np.sqrt(t / systems)))
        iterations, shift = oracle.solve(float(OMEGAS[arm]))
        moments[arm] += np.outer(context, context)
        targets[arm] += iterations / LOSS_UNIT * context


def square_cb(predicted, gamma):
    """Inverse gap weighting: probabilities (d,) of the arms."""
    best = predicted.argmin()
    p = 1 / (len(predicted) + gamma * (predicted - predicted[best]))
    p[best] = 0.0
    p[best] = 1 - p.sum()
    return p
