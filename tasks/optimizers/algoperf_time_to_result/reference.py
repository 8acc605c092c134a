"""NAdamW, the strongest baseline of the benchmark (Dahl et al. 2023, section 6), at one setting for all workloads.

Adam whose step looks ahead with Nesterov's momentum, decoupled weight decay, gradients clipped to length 1, a linear
warm-up over a twentieth of the step hint and a cosine decay to its end.
"""

import numpy as np

RATE = 0.1
FIRST, SECOND = 0.9, 0.999
DECAY = 1e-4
WARM_UP = 0.05
LONGEST = 1.0
PERIOD = 8


def train(oracle, x0, step_hint):
    x, m, v = x0.copy(), np.zeros(x0.size), np.zeros(x0.size)
    for t in range(1, step_hint + 1):
        g = oracle.grad(x)
        g = g * min(1.0, LONGEST / (np.linalg.norm(g) + 1e-12))
        m = FIRST * m + (1 - FIRST) * g
        v = SECOND * v + (1 - SECOND) * g**2
        ahead = FIRST * m / (1 - FIRST ** (t + 1)) + (1 - FIRST) * g / (1 - FIRST**t)
        share = min(1.0, t / (WARM_UP * step_hint)) * 0.5 * (1 + np.cos(np.pi * min(t / step_hint, 1.0)))
        x = x - RATE * share * (ahead / (np.sqrt(v / (1 - SECOND**t)) + 1e-8) + DECAY * x)
        if t % PERIOD == 0 and oracle.reached(x):
            break
    return x
