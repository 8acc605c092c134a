"""AdaSketch-Newton-GV (Hong, Na, Mahoney and Kolar 2023, Algorithm 2) with random Kaczmarz sweeps as the sketch.

The Newton system K z = -(grad_x L, c) is solved by sweeps of projections on its rows until |K z - rhs| <= delta |rhs|
and z is a descent direction of the exact augmented Lagrangian f + lam'c + mu |c|^2 / 2 + nu |J grad_x L|^2 / 2. Where
it is none, delta and nu shrink and mu grows before the next sweeps. Backtracking is on that merit. Its gradient is
taken without the second derivatives of c times grad_x L, which vanish at the solution.
"""

import numpy as np

TOLERANCE = 0.9
DELTA = 0.15
MU, NU = 1.0, 0.05
ETA = 0.1
FACTOR = 2.0
DECREASE = 1e-4
SWEEPS = 4


def solve(oracle, n, m, x0, lam0, target, budget):
    rng = np.random.default_rng(0)
    x, lam, mu, nu, delta = x0.copy(), lam0.copy(), MU, NU, DELTA
    slopes = oracle.kkt(x, lam)
    oracle.set_point(x, lam)
    while True:
        gradient, c, _ = slopes
        rhs = -np.concatenate([gradient, c])
        size = np.linalg.norm(rhs)
        if size <= TOLERANCE * target:
            return x, lam
        z = np.zeros(n + m)
        while True:
            z = swept(oracle, rng, z, rhs, delta * size)
            along = ascent(oracle, gradient, c, mu, nu) @ z
            if along <= -ETA / 2 * size**2 or delta < 1e-3:
                break
            delta, mu, nu = delta / FACTOR, mu * FACTOR, nu / FACTOR
        here, share = merit(oracle, slopes, lam, mu, nu), 1.0
        while True:
            near, after = x + share * z[:n], lam + share * z[n:]
            slopes = oracle.kkt(near, after)
            oracle.set_point(near, after)
            if merit(oracle, slopes, after, mu, nu) <= here + DECREASE * share * along or share < 1e-3:
                break
            share /= 2
        x, lam = near, after


def swept(oracle, rng, z, rhs, goal):
    """z after so many sweeps over all rows, each in a random order, that the residual is at most ``goal``."""
    while True:
        for _ in range(SWEEPS):
            z = oracle.kaczmarz(z, rng.permutation(z.size))
        if np.linalg.norm(oracle.matvec(z) - rhs) <= goal:
            return z


def merit(oracle, slopes, lam, mu, nu):
    gradient, c, f = slopes
    projected = oracle.jac_vec(gradient)
    return f + lam @ c + mu / 2 * (c @ c) + nu / 2 * (projected @ projected)


def ascent(oracle, gradient, c, mu, nu):
    """The gradient of the merit in (x, lam)."""
    back = oracle.jac_t_vec(oracle.jac_vec(gradient))
    return np.concatenate(
        [gradient + mu * oracle.jac_t_vec(c) + nu * oracle.hess_vec(back), c + nu * oracle.jac_vec(back)]
    )
