"""Direct search: coordinate directions in random order, the first improvement is taken, the mesh halves without one."""

import numpy as np

# EVOLVE-BLOCK-START
FIRST_MESH = 0.5
LAST_MESH = 1e-6


def maximise(oracle, x0, lo, hi, goal, budget):
    rng = np.random.default_rng(0)
    x = x0.copy()
    z = oracle.output(x)
    best = value(goal, z)
    spent, mesh = 1, FIRST_MESH
    width = hi - lo
    while spent < budget and mesh > LAST_MESH:
        improved = False
        for number in rng.permutation(2 * x.size):
            if spent >= budget:
                break
            coordinate, sign = number // 2, 1 - 2 * (number % 2)
            y = x.copy()
            y[coordinate] = y[coordinate] + sign * mesh * width[coordinate]
            y = np.clip(y, lo, hi)
            z = oracle.output(y)
            spent += 1
            reached = value(goal, z)
            if reached > best and excess(goal, z) <= 0:
                x, best, improved = y, reached, True
                break
        mesh = min(2 * mesh, FIRST_MESH) if improved else mesh / 2
    return x


def value(goal, z):
    return goal["linear"] @ z - 0.5 * goal["curvature"] @ z**2


def excess(goal, z):
    return goal["limited"] @ z - goal["limit"]


# EVOLVE-BLOCK-END
