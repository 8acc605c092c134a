"""Online gradient descent with steps of order 1/sqrt(n), the textbook choice without strong convexity."""

import numpy as np

U = 1.0


def balance(oracle, E, k, tokens, steps):
    p = np.zeros(E)
    target = tokens * k / E
    for n in range(steps):
        load = oracle.route(p)
        p = p + U / np.sqrt(n + 1.0) * (target - load) / tokens
