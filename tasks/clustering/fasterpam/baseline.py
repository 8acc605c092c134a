"""FastPAM1 (Schubert and Rousseeuw 2019): random start, then the best of all swaps, until none helps."""

import numpy as np

# EVOLVE-BLOCK-START
TOLERANCE = 1e-10
MOST_SWAPS = 1000


def two_nearest(D, medoids):
    to_medoids = D[:, medoids]
    points = np.arange(len(D))
    first = to_medoids.argmin(axis=1)
    d1 = to_medoids[points, first]
    to_medoids[points, first] = np.inf
    d2 = to_medoids.min(axis=1)
    return first, d1, d2


def kmedoids(D, k, seed):
    n = len(D)
    rng = np.random.default_rng(seed)
    medoids = rng.choice(n, k, replace=False)
    for _ in range(MOST_SWAPS):
        first, d1, d2 = two_nearest(D, medoids)
        removal = np.bincount(first, weights=d2 - d1, minlength=k)
        closer = np.minimum(D - d1, 0.0)
        shared = closer.sum(axis=1)
        own = np.minimum(D, d2) - d2 - closer
        members = np.zeros((n, k))
        members[np.arange(n), first] = 1.0
        change = shared[:, None] + removal[None, :] + own @ members
        j, i = divmod(int(change.argmin()), k)
        if change[j, i] > -TOLERANCE:
            break
        medoids[i] = j
    return medoids


# EVOLVE-BLOCK-END
