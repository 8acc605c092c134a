"""Auxiliary-loss-free balancing as an online primal-dual method (Han and Zhong 2025, the strongly convex step sizes).

The bias is the dual variable of the load constraints and (L - load)/N a stochastic descent direction; the expected dual
is strongly convex near its optimum, so that steps u/(n + n0) give logarithmic regret.
"""

import numpy as np

U = 8.0
DELAY = 10.0


def balance(oracle, E, k, tokens, steps):
    target = tokens * k / E
    p = np.zeros(E)
    for n in range(1, steps + 1):
        load = oracle.route(p)
        p = p + U / (n + DELAY) * (target - load) / tokens
        p = p - p.mean()
