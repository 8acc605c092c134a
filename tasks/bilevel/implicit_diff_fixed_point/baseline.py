"""Unrolling: the map is iterated from x0, and derivatives are carried back through all its steps."""

import numpy as np

# EVOLVE-BLOCK-START


def hypergrad(oracle, n, p, x0, x_star, cots, budget):
    count = len(cots)
    steps = budget // (1 + 2 * count)
    path = [x0]
    for _ in range(steps):
        path.append(oracle.step(path[-1]))
    gradients = np.zeros((count, p))
    for k in range(count):
        u = cots[k]
        for x in reversed(path[:steps]):
            u, in_theta = oracle.vjp(x, u)
            gradients[k] = gradients[k] + in_theta
    return gradients


# EVOLVE-BLOCK-END
