"""Dynamic M-FAC (Frantar, Kurtic and Alistarh 2021, section 3.2): inner products of the window are kept up to date.

A ring buffer takes the new gradient in place of the oldest; one product with the window renews one row and column of
its Gram matrix K. The inverse of F comes from K alone, in the dense form of the paper's recursion:
u = (g - G' c) / damp with (K + damp m I) c = G g.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve


def precondition_stream(oracle, d, m, damp, T, G0):
    ring, gram = G0.copy(), G0 @ G0.T
    shift = damp * m * np.eye(m)
    g = oracle.exchange(None)
    for t in range(T):
        slot = t % m
        ring[slot] = g
        gram[slot] = gram[:, slot] = ring @ g
        factor = cho_factor(gram + shift, check_finite=False)
        u = (g - ring.T @ cho_solve(factor, gram[slot], check_finite=False)) / damp
        g = oracle.exchange(u)
    return T
