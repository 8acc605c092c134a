"""Uniform exploration with a quarter of the pulls and without the logarithm."""

EXPLORATION = 0.25


def play(oracle, K, T, seed):
    pulls = max(int(EXPLORATION * (T / K) ** (2 / 3)), 1)
    best = -1.0
    for _ in range(K):
        mean = oracle.pull(pulls) / pulls
        better = mean > best
        if better:
            best = mean
        oracle.next(better)
