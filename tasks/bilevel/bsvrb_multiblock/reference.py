"""BSVRB-v2 (Hu, Qi, Guo and Yang 2023, Algorithm 2): variance-reduced trackers of every block's two lower gradients.

Each block keeps y_i, v_i and trackers s_i of dg_i/dy and u_i of H_i v_i - df_i/dy. A sampled block's tracker becomes
(1 - a) s + a G(now) + gamma (G(now) - G(before)) with both gradients on the same sample (MSVR), where
gamma = (m - I) / (I (1 - a)) + 1 - a makes up for the blocks that were not sampled. The hypergradient z is tracked by
(1 - b) (z - h(before)) + h(now) (STORM). One step along each; no Hessian is inverted.
"""

import numpy as np

LOWER = 0.3
RATE = 0.01
A, B = 0.2, 0.2
LEAST = 0.02
LARGEST_GAMMA = 3.0
COST = 11


def solve(oracle, nx, ny, m, k, budget, seed):
    rng = np.random.default_rng(seed)
    x, y, v, z = np.zeros(nx), np.zeros((m, ny)), np.zeros((m, ny)), np.zeros(nx)
    s, u = np.zeros((m, ny)), np.zeros((m, ny))
    before = x, y.copy(), v.copy()
    steps = budget // COST
    for t in range(steps):
        decay = 1 - t / steps
        a, b = max(A * decay, LEAST), max(B * decay, LEAST)
        gamma = min((m - k) / (k * (1 - a)) + 1 - a, LARGEST_GAMMA)
        blocks = rng.choice(m, k, replace=False)
        oracle.sample(blocks)
        g, q, h = slopes(oracle, x, y[blocks], v[blocks])
        g_old, q_old, h_old = slopes(oracle, before[0], before[1][blocks], before[2][blocks])
        before = x, y.copy(), v.copy()
        s[blocks] = (1 - a) * s[blocks] + a * g + gamma * (g - g_old)
        u[blocks] = (1 - a) * u[blocks] + a * q + gamma * (q - q_old)
        z = (1 - b) * (z - h_old) + h
        y[blocks] = y[blocks] - LOWER * s[blocks]
        v[blocks] = v[blocks] - LOWER * u[blocks]
        x = x - RATE * decay * z
    return x


def slopes(oracle, x, y, v):
    """The lower gradients, those of the linear systems, and the hypergradient of the sampled blocks."""
    gy, fx, fy, hyy, hxy = oracle.derivatives(x, y, v)
    return gy, hyy - fy, fx - hxy.mean(axis=0)
