"""ADMM on the convex form of the training problem (Bai, Gautam and Sojoudi 2023; Pilanci and Ergen 2020).

For fixed activation patterns D_j = diag(1[X w >= 0]) and signs s_j of the outer weights the problem is a group lasso,

    min |sum_j s_j D_j X v_j - y|^2 / 2 + beta sum_j |v_j|  subject to  (2 D_j - I) X v_j >= 0,

and each v_j is a unit with inner weights v_j / sqrt|v_j| and outer weight s_j sqrt|v_j|, at the same loss. All patterns
are listed where X has two columns, else 100 random ones are taken. ADMM splits u = v and (2 D_j - I) X u_j = t_j.
As (2 D_j - I)^2 = I, the system for u is that of blocks I + X'X and a term of rank n: it is factored once.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

PATTERNS = 100
ITERATIONS = 500


def patterns(X, count, rng):
    """Which samples a unit is active on, one column for each pattern: zeros and ones (n, at most count)."""
    d = X.shape[1]
    if d == 2:
        turns = np.sort(np.arctan2(-X[:, 0], X[:, 1]) % np.pi)
        turns = np.concatenate([turns, turns + np.pi, turns[:1] + 2 * np.pi])
        between = (turns[1:] + turns[:-1]) / 2
        directions = np.stack([np.cos(between), np.sin(between)])
    else:
        directions = rng.standard_normal((d, 10 * count))
    active = np.unique(X @ directions >= 0, axis=1)
    active = active[:, active.any(axis=0)]
    return active[:, rng.permutation(active.shape[1])[:count]].astype(float)


def train(X, y, beta, max_units, seed):
    rng, (n, d) = np.random.default_rng(seed), X.shape
    active = patterns(X, min(PATTERNS, max_units // 2), rng)
    sign = np.repeat([1.0, -1.0], active.shape[1])
    active = np.hstack([active, active])
    side, gate, rho = 2 * active - 1, active * sign, 0.3 * np.sqrt(beta)
    block = np.linalg.inv(np.eye(d) + X.T @ X)
    factor = cho_factor(rho * np.eye(n) + (X @ block @ X.T) * (gate @ gate.T))
    target = X.T @ (gate * y[:, None])
    v, price = np.zeros((d, sign.size)), np.zeros((d, sign.size))
    slack, cone_price = np.zeros((n, sign.size)), np.zeros((n, sign.size))
    for _ in range(ITERATIONS):
        right = block @ (target + rho * (v - price + X.T @ (side * (slack - cone_price))))
        low_rank = cho_solve(factor, np.sum(gate * (X @ right), axis=1), check_finite=False)
        u = (right - block @ (X.T @ (gate * low_rank[:, None]))) / rho
        q = u + price
        v = q * np.maximum(1 - beta / (rho * np.maximum(np.linalg.norm(q, axis=0), 1e-300)), 0)
        inside = side * (X @ u)
        slack = np.maximum(inside + cone_price, 0)
        price, cone_price = q - v, cone_price + inside - slack
    root = np.sqrt(np.linalg.norm(v, axis=0))
    used = root > 0
    return v[:, used] / root[used], sign[used] * root[used]
