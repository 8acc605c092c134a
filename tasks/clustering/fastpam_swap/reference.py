"""FastPAM1 (Schubert and Rousseeuw 2019, Algorithm 2): PAM's result, the changes of all n k swaps in one pass.

With the distances d1 and d2 to the nearest and second nearest medoid, the change of a swap of medoid i with candidate j
is a part that all i share, sum_o min(D_oj - d1_o, 0), plus the loss of removing i, plus a correction of the points
whose nearest medoid is i: min(D_oj, d2) - d2 - min(D_oj - d1, 0).
"""

import numpy as np

TOLERANCE = 1e-10


def pam(D, k):
    medoids = build(D, k)
    points = np.arange(len(D))
    while True:
        to_medoids = D[:, medoids]
        first = to_medoids.argmin(axis=1)
        d1 = to_medoids[points, first]
        to_medoids[points, first] = np.inf
        d2 = to_medoids.min(axis=1)
        closer = np.minimum(D - d1, 0.0)
        own = np.minimum(D, d2)
        own -= d2 + closer
        members = np.zeros((len(D), k))
        members[points, first] = 1.0
        removal = np.bincount(first, weights=d2 - d1, minlength=k)
        change = closer.sum(axis=1)[:, None] + removal + own @ members
        j, i = np.divmod(change.argmin(), k)
        if change[j, i] > -TOLERANCE * d1.sum():
            return medoids
        medoids[i] = j


def build(D, k):
    medoids = [D.sum(axis=0).argmin()]
    nearest = D[medoids[0]]
    for _ in range(k - 1):
        medoids.append(np.minimum(D, nearest).sum(axis=1).argmin())
        nearest = np.minimum(nearest, D[medoids[-1]])
    return np.array(medoids)
