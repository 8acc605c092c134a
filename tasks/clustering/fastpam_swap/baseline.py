"""PAM (Kaufman and Rousseeuw 1987): BUILD, then the best of all swaps, one medoid after another, until none helps."""

import numpy as np

# EVOLVE-BLOCK-START
TOLERANCE = 1e-10
MOST_SWAPS = 1000


def pam(D, k):
    medoids = build(D, k)
    for _ in range(MOST_SWAPS):
        total = D[:, medoids].min(axis=1).sum()
        best, best_i, best_j = 0.0, 0, 0
        for i in range(k):
            others = D[:, np.delete(medoids, i)].min(axis=1)
            change = np.minimum(D, others).sum(axis=1) - total
            j = change.argmin()
            if change[j] < best:
                best, best_i, best_j = change[j], i, j
        if best > -TOLERANCE * total:
            break
        medoids[best_i] = best_j
    return medoids


def build(D, k):
    medoids = [D.sum(axis=0).argmin()]
    nearest = D[medoids[0]]
    for _ in range(k - 1):
        gain = np.minimum(D, nearest).sum(axis=1)
        medoids.append(gain.argmin())
        nearest = np.minimum(nearest, D[medoids[-1]])
    return np.array(medoids)


# EVOLVE-BLOCK-END
