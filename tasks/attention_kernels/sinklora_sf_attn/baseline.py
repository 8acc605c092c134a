"""Shifted sparse attention (LongLoRA, Chen et al. 2024): groups of tokens, shifted by half in half of the heads.

The shift is cyclic, so that the last half group sees the first one.
"""

import numpy as np

# EVOLVE-BLOCK-START


def pattern(Q, K, slopes, group, budget):
    heads, n, _ = Q.shape
    place = np.arange(n)
    mask = np.zeros((heads, n, n), dtype=bool)
    for head in range(heads):
        shift = group // 2 if head >= heads // 2 else 0
        block = (place + shift) % n // group
        mask[head] = block[:, None] == block
    return mask


# EVOLVE-BLOCK-END
