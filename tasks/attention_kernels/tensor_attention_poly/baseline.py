"""The definition, one query at a time: all n^2 weights of a query, O(n^3 d) in all."""

import numpy as np

# EVOLVE-BLOCK-START


def attend(Q, K1, K2, V1, V2):
    n, d = Q.shape
    output = np.zeros((n, d))
    for i in range(n):
        scores = (K1 * Q[i] / d) @ K2.T
        weights = np.exp(scores)
        mixed = weights @ V2
        output[i] = (V1 * mixed).sum(axis=0) / weights.sum()
    return output


# EVOLVE-BLOCK-END
