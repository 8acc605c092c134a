"""RARTS (Xue, Qi and Xin 2021, Algorithm 1): two copies of the weights in one relaxed, single-level descent.

L(w, v, a) = L_val(v, a) + lambda L_train(w, a) + beta |w - v|^2 / 2. Each step takes one gradient of either loss:
w <- w - eta (lambda dL_train/dw + beta (w - v)), v <- v - eta (dL_val/dv + beta (v - w)) and
a <- a - eta (dL_val/da + lambda dL_train/da). Its minimiser comes to the bilevel one as lambda = beta grows. No second
derivative is taken. The mean of the last a is returned.
"""

import numpy as np

FIRST, LAST = 2.0, 100.0
STEP = 1.0
AVERAGED = 0.1
COST = 2


def search(oracle, w0, a0, L, budget):
    w, v, a = w0.copy(), w0.copy(), a0.copy()
    steps = budget // COST
    mean, first = np.zeros(a0.size), int((1 - AVERAGED) * steps)
    for t in range(steps):
        weight = FIRST * (LAST / FIRST) ** (t / steps)
        eta = STEP / (weight * (L + 1))
        train_w, train_a = oracle.grad("train", w, a)
        val_v, val_a = oracle.grad("val", v, a)
        a = a - eta * (val_a + weight * train_a)
        w, v = w - eta * weight * (train_w + w - v), v - eta * (val_v + weight * (v - w))
        if t >= first:
            mean += a / (steps - first)
    return mean
