"""Signum: the sign of an exponential average of the gradients (Bernstein et al. 2018), with decoupled weight decay."""

import numpy as np

RATE = 0.03
MOMENTUM = 0.9
DECAY = 1.0
WARM_UP = 20


def update(w, g, state, step, total_steps, hints):
    rate = RATE * min(1.0, (step + 1) / WARM_UP) * 0.5 * (1.0 + np.cos(np.pi * (step + 1) / total_steps))
    m = MOMENTUM * state[0] + (1.0 - MOMENTUM) * g
    w = w - rate * (np.sign(m) + DECAY * w)
    return w.astype(np.float32), m[None, :].astype(np.float32)
