"""The definition, a few queries at a time: all n^2 weights of a query."""

import torch

# EVOLVE-BLOCK-START
QUERIES = 16


def attend(Q, K1, K2, V1, V2):
    _, n, d = Q.shape
    output = torch.empty_like(Q)
    for first in range(0, n, QUERIES):
        q = Q[:, first : first + QUERIES, None] / d
        weights = torch.exp((K1[:, None] * q) @ K2.mT[:, None])
        mixed = weights @ V2[:, None]
        output[:, first : first + QUERIES] = (V1[:, None] * mixed).sum(dim=2) / weights.sum(dim=(2, 3))[:, :, None]
    return output


# EVOLVE-BLOCK-END
