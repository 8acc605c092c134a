"""Sinkhorn's matrix scaling with absorption: large scalings move into the potentials (Schmitzer 2019, section 3.1)."""

import numpy as np

# EVOLVE-BLOCK-START
CHECK_EVERY = 20
MOST_STEPS = 100_000
LARGEST_LOG = 50.0
SAFETY = 0.9


def solve(C, a, b, eps, tol):
    x = C.min(axis=1)
    y = (C - x[:, None]).min(axis=0)
    K = np.exp((x[:, None] + y[None, :] - C) / eps)
    u = np.ones_like(a)
    v = np.ones_like(b)
    for step in range(1, MOST_STEPS + 1):
        u = a / (K @ v)
        v = b / (K.T @ u)
        if step % CHECK_EVERY == 0:
            if max(np.abs(np.log(u)).max(), np.abs(np.log(v)).max()) > LARGEST_LOG:
                x = x + eps * np.log(u)
                y = y + eps * np.log(v)
                K = np.exp((x[:, None] + y[None, :] - C) / eps)
                u = np.ones_like(a)
                v = np.ones_like(b)
            elif np.abs(u * (K @ v) - a).sum() < SAFETY * tol:
                break
    return x + eps * np.log(u), y + eps * np.log(v)


# EVOLVE-BLOCK-END
