"""First-order DARTS (Liu, Simonyan and Yang 2019): a step on w, then one on a that takes w as it stands."""

import numpy as np

# EVOLVE-BLOCK-START
STEP = 0.5
COST = 2


def search(oracle, w0, a0, L, budget):
    w = np.array(w0)
    a = np.array(a0)
    for _ in range(budget // COST):
        w = w - STEP / L * oracle.grad("train", w, a)[0]
        a = a - STEP / L * oracle.grad("val", w, a)[1]
    return a


# EVOLVE-BLOCK-END
