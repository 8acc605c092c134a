"""Uniform exploration: every arm is pulled equally often, the best mean is kept (explore first, then commit)."""

import math

# EVOLVE-BLOCK-START
EXPLORATION = 1.0
BATCHES = 2


def play(oracle, K, T, seed):
    pulls_each = int(EXPLORATION * (T / K) ** (2 / 3) * math.log(T) ** (1 / 3))
    pulls_each = min(pulls_each, T // (2 * K))
    batch = max(pulls_each // BATCHES, 1)
    best = -1.0
    for _ in range(K):
        pulls, successes = 0, 0
        while pulls < pulls_each:
            successes += oracle.pull(batch)
            pulls += batch
        mean = successes / pulls
        better = mean > best
        if better:
            best = mean
        oracle.next(better)


# EVOLVE-BLOCK-END
