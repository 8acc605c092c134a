"""Woodbury's identity, with the window's Gram matrix built anew at every step."""

import numpy as np

# EVOLVE-BLOCK-START


def precondition_stream(oracle, d, m, damp, T, G0):
    window = G0.copy()
    g = oracle.exchange(None)
    for _ in range(T):
        window = np.vstack([window[1:], g[None, :]])
        gram = window @ window.T
        system = gram + damp * m * np.eye(m)
        projected = window @ g
        coefficients = np.linalg.solve(system, projected)
        u = (g - window.T @ coefficients) / damp
        g = oracle.exchange(u)
    return T


# EVOLVE-BLOCK-END
