"""Refinement (Defazio, Cutkosky, Mehta and Mishchenko 2023, Algorithm 1), for SGD and, with l1 norms, for Adam.

With G a median filter of the pilot's gradient norms, weights w_t = G_t^-2 (G_t^-1 for Adam) and
eta_t = w_t (w_{t+1} + ... + w_T), which minimises the paper's bound on the last iterate. For constant norms that is
the linear decay; where norms shrink it warms up and then anneals fast.
"""

import numpy as np

WIDTH = 0.1


def schedule(T, gnorm, optimizer):
    half = max(int(WIDTH * T / 2), 1)
    padded = np.pad(gnorm, half, mode="reflect")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)
    w = smooth ** (-2.0 if optimizer == "sgd" else -1.0)
    rest = np.cumsum(w[::-1])[::-1] - w
    return w * rest
