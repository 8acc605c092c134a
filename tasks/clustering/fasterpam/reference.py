"""FasterPAM (Schubert and Rousseeuw 2021, Fast and Eager k-Medoids Clustering, Algorithm 3).

Candidates are visited in turn. Of candidate j, with nearest and second nearest medoid distances d1 and d2 of every
point: what all swaps with j gain (points closer to j than d1), plus per medoid i the loss of removing it, corrected for
its points that j would take. All k swaps with j cost O(n) together. The best is done at once if it helps.
"""

import numpy as np

TOLERANCE = 1e-10


def kmedoids(D, k, seed):
    n = len(D)
    medoids = np.random.default_rng(seed).choice(n, k, replace=False)
    first, second, d1, d2 = assign(D, medoids)
    spread = d1 - d2
    removal = np.bincount(first, weights=-spread, minlength=k)
    idle, j = 0, 0
    while idle < n:
        to_j = D[j]
        beyond = to_j - d1
        shared = np.minimum(beyond, 0.0).sum()
        own = np.maximum(np.minimum(to_j - d2, 0.0), spread)
        change = removal + np.bincount(first, weights=own, minlength=k)
        i = change.argmin()
        if change[i] + shared < -TOLERANCE and j not in medoids:
            medoids[i] = j
            swap(D, medoids, i, first, second, d1, d2)
            spread = d1 - d2
            removal = np.bincount(first, weights=-spread, minlength=k)
            idle = 0
        else:
            idle += 1
        j = (j + 1) % n
    return medoids


def assign(D, medoids):
    to_medoids = D[:, medoids]
    points = np.arange(len(D))
    first = to_medoids.argmin(axis=1)
    d1 = to_medoids[points, first]
    to_medoids[points, first] = np.inf
    second = to_medoids.argmin(axis=1)
    return first, second, d1, to_medoids[points, second]


def swap(D, medoids, i, first, second, d1, d2):
    """Medoid number i has moved: points that had it among their two are assigned anew, others may gain it."""
    to_new = D[:, medoids[i]]
    had = (first == i) | (second == i)
    nearest = ~had & (to_new < d1)
    second[nearest], d2[nearest] = first[nearest], d1[nearest]
    first[nearest], d1[nearest] = i, to_new[nearest]
    runner_up = ~had & ~nearest & (to_new < d2)
    second[runner_up], d2[runner_up] = i, to_new[runner_up]
    rows = np.flatnonzero(had)
    first[rows], second[rows], d1[rows], d2[rows] = assign(D[rows], medoids)
