"""Newton's method with a direct solve in every iteration and backtracking on f + rho |c|_1."""

import numpy as np

# EVOLVE-BLOCK-START
TOLERANCE = 0.5
DECREASE = 1e-4


def solve(oracle, n, m, x0, lam0, target, budget):
    x = x0
    lam = lam0
    gradient, c, f = oracle.kkt(x, lam)
    while np.sqrt(gradient @ gradient + c @ c) > TOLERANCE * target:
        oracle.set_point(x, lam)
        z = oracle.direct()
        rho = 2.0 * np.abs(lam + z[n:]).max() + 1.0
        slope = (gradient - oracle.jac_t_vec(lam)) @ z[:n] - rho * np.abs(c).sum()
        merit = f + rho * np.abs(c).sum()
        share = 1.0
        while True:
            near = x + share * z[:n]
            after = lam + share * z[n:]
            gradient, c, f = oracle.kkt(near, after)
            if f + rho * np.abs(c).sum() <= merit + DECREASE * share * min(slope, 0.0) + 1e-12 or share < 1e-3:
                break
            share = share / 2.0
        x = near
        lam = after
    return x, lam


# EVOLVE-BLOCK-END
