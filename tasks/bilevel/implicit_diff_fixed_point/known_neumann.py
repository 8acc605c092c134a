"""The adjoint system at x_star by its Neumann series: unrolling without a forward pass."""

import numpy as np


def hypergrad(oracle, n, p, x0, x_star, cots, budget):
    gradients = np.zeros((len(cots), p))
    for k, u in enumerate(cots):
        moved = u
        for _ in range(budget // (2 * len(cots))):
            moved, in_theta = oracle.vjp(x_star, moved)
            gradients[k] += in_theta
    return gradients
