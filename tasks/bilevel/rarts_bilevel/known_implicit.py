"""Implicit differentiation, with second derivatives as differences of gradients of the training loss."""

import numpy as np

STEP = 0.5
SHIFT = 0.3
COST = 4


def search(oracle, w0, a0, L, budget):
    w, a, u = w0.copy(), a0.copy(), np.zeros(w0.size)
    steps = budget // COST
    for t in range(steps):
        w = w - STEP / L * oracle.grad("train", w, a)[0]
        val_w, val_a = oracle.grad("val", w, a)
        size = SHIFT / (np.linalg.norm(u) + 1e-12)
        ahead, behind = (oracle.grad("train", w + side * size * u, a) for side in (1, -1))
        product_w, product_a = ((one - other) / (2 * size) for one, other in zip(ahead, behind, strict=True))
        u = u - STEP / L * (product_w - val_w)
        a = a - STEP / L * (1 - t / steps) * (val_a - product_a)
    return a
