"""Top down: every community is split by the signs of its adjacency's second eigenvector, level by level."""

import numpy as np

# EVOLVE-BLOCK-START


def tree(A, depth, seed):
    n = len(A)
    labels = np.zeros((n, depth), dtype=int)
    current = np.zeros(n, dtype=int)
    for level in range(depth):
        following = 2 * current
        for community in np.unique(current):
            members = np.flatnonzero(current == community)
            following[members] += split(A[np.ix_(members, members)].astype(float))
        labels[:, level] = following
        current = following
    return labels


def split(part):
    if len(part) < 3:
        return np.zeros(len(part), dtype=int)
    vectors = np.linalg.eigh(part)[1]
    second = vectors[:, -2]
    return (second > 0).astype(int)


# EVOLVE-BLOCK-END
