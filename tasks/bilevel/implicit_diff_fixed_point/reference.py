"""Implicit differentiation with a matrix-free solver (Blondel et al. 2022, section 2.1), here GMRES.

With A = I - dT/dx and B = dT/dtheta at x_star, the gradient is B' u where A' u = cot. One product gives A' v and B' v
together, so B' u is summed up from the products of the Krylov basis and costs no call of its own.
"""

import numpy as np


def hypergrad(oracle, n, p, x0, x_star, cots, budget):
    steps = budget // (2 * len(cots))
    return np.stack([one(oracle, p, x_star, cot, min(steps, n)) for cot in cots])


def one(oracle, p, x_star, cot, steps):
    size = np.linalg.norm(cot)
    basis, through = [cot / size], np.zeros((steps, p))
    hessenberg = np.zeros((steps + 1, steps))
    used = 0
    for k in range(steps):
        moved, through[k] = oracle.vjp(x_star, basis[k])
        w = basis[k] - moved
        used = k + 1
        for _ in range(2):
            for i, v in enumerate(basis):
                part = v @ w
                hessenberg[i, k] += part
                w = w - part * v
        hessenberg[k + 1, k] = np.linalg.norm(w)
        if hessenberg[k + 1, k] < 1e-13:
            break
        basis.append(w / hessenberg[k + 1, k])
    target = np.zeros(used + 1)
    target[0] = size
    weights = np.linalg.lstsq(hessenberg[: used + 1, :used], target, rcond=1e-13)[0]
    return weights @ through[:used]
