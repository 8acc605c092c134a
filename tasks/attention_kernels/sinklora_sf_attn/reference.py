"""Sink fixed attention (SinkLoRA, Zhang 2024, section 3): segmentation, reassembly of shifted heads, and global sinks.

Of the heads that are shifted by half a group only a part stays so; the others return to their places. No shifted group
joins the end of the sequence with its beginning. The first tokens attend to all and all attend to them. What this
leaves of the budget makes the groups larger.
"""

import numpy as np

SINKS = 4
SHIFTED = 0.25
"""Of all heads."""


def pattern(Q, K, slopes, group, budget):
    heads, n, _ = Q.shape
    best = sink_fixed(heads, n, group // 2)
    for size in range(group // 2 + 1, n + 1):
        mask = sink_fixed(heads, n, size)
        if density(mask) > budget:
            break
        best = mask
    return best


def sink_fixed(heads, n, group):
    place = np.arange(n)
    mask = np.zeros((heads, n, n), dtype=bool)
    for head in range(heads):
        shifted = heads // 2 <= head < heads // 2 + round(SHIFTED * heads)
        block = (place + (group // 2 if shifted else 0)) // group
        mask[head] = block[:, None] == block
    mask[:, :, :SINKS] = True
    mask[:, :SINKS, :] = True
    return mask


def density(mask):
    causal = np.tri(mask.shape[1], dtype=bool)
    return (mask & causal).sum() / (len(mask) * causal.sum())
