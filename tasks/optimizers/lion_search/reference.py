"""Lion: the sign of an interpolated momentum (Chen et al. 2023, Symbolic Discovery of Optimization Algorithms, Alg. 2).

c = b1 m + (1 - b1) g;  w <- w - eta_t (sign(c) + lambda w);  m <- b2 m + (1 - b2) g.
"""

import numpy as np

RATE = 0.08
INTERPOLATION = 0.9
MOMENTUM = 0.99
DECAY = 2.0
WARM_UP = 20


def update(w, g, state, step, total_steps, hints):
    rate = RATE * min(1.0, (step + 1) / WARM_UP) * 0.5 * (1.0 + np.cos(np.pi * (step + 1) / total_steps))
    m = state[0]
    c = INTERPOLATION * m + (1.0 - INTERPOLATION) * g
    w = w - rate * (np.sign(c) + DECAY * w)
    m = MOMENTUM * m + (1.0 - MOMENTUM) * g
    return w.astype(np.float32), m[None, :].astype(np.float32)
