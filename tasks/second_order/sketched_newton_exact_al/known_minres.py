"""Newton's method with full steps, each system solved to a tenth by MINRES."""

import numpy as np

ACCURACY = 0.1
LONGEST = 60


def solve(oracle, n, m, x0, lam0, target, budget):
    x, lam = x0.copy(), lam0.copy()
    while True:
        gradient, c, _ = oracle.kkt(x, lam)
        rhs = -np.concatenate([gradient, c])
        if np.linalg.norm(rhs) <= target:
            return x, lam
        oracle.set_point(x, lam)
        z = minres(oracle.matvec, rhs)
        x, lam = x + z[:n], lam + z[n:]


def minres(matvec, rhs):
    """Conjugate residuals, the form of MINRES with short recurrences of the products."""
    z, r = np.zeros(rhs.size), rhs.copy()
    goal = ACCURACY * np.linalg.norm(rhs)
    directions, products = [], []
    p = r
    for _ in range(LONGEST):
        q = matvec(p)
        for older, product in zip(directions[-2:], products[-2:], strict=True):
            part = (q @ product) / (product @ product)
            p, q = p - part * older, q - part * product
        share = (r @ q) / (q @ q)
        z, r = z + share * p, r - share * q
        if np.linalg.norm(r) <= goal:
            break
        directions.append(p)
        products.append(q)
        p = q
    return z
