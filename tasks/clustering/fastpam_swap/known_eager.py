"""Eager swaps from BUILD (the later FasterPAM, Schubert and Rousseeuw 2021): a helpful swap is done at once."""

import numpy as np

TOLERANCE = 1e-10


def pam(D, k):
    n = len(D)
    medoids = build(D, k)
    first, d1, d2 = two_nearest(D, medoids)
    removal = np.bincount(first, weights=d2 - d1, minlength=k)
    total, idle, j = d1.sum(), 0, 0
    while idle < n:
        to_j = D[j]
        shared = np.minimum(to_j - d1, 0.0)
        own = np.minimum(to_j, d2) - d2 - shared
        change = removal + np.bincount(first, weights=own, minlength=k)
        i = change.argmin()
        if change[i] + shared.sum() < -TOLERANCE * total:
            medoids[i] = j
            first, d1, d2 = two_nearest(D, medoids)
            removal = np.bincount(first, weights=d2 - d1, minlength=k)
            idle = 0
        else:
            idle += 1
        j = (j + 1) % n
    return medoids


def two_nearest(D, medoids):
    to_medoids = D[:, medoids]
    points = np.arange(len(D))
    first = to_medoids.argmin(axis=1)
    d1 = to_medoids[points, first]
    to_medoids[points, first] = np.inf
    return first, d1, to_medoids.min(axis=1)


def build(D, k):
    medoids = [D.sum(axis=0).argmin()]
    nearest = D[medoids[0]]
    for _ in range(k - 1):
        medoids.append(np.minimum(D, nearest).sum(axis=1).argmin())
        nearest = np.minimum(nearest, D[medoids[-1]])
    return np.array(medoids)
