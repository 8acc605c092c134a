"""FasterPAM (Schubert and Rousseeuw 2021, Algorithm 3), with as many candidates at once as fill a device.

Candidates are visited in turn, a batch at a time; the best swap with one of them is done at once if it helps. The
search ends when no candidate has helped since the last swap.
"""

import torch

TOLERANCE = 1e-4
BATCH = 256


def kmedoids(D, k, seed):
    n = len(D)
    generator = torch.Generator().manual_seed(seed)
    medoids = torch.randperm(n, generator=generator)[:k].to(D.device)
    nearest = two_nearest(D, medoids)
    idle, start = 0, 0
    while idle < n:
        change = changes(D[start : start + BATCH], *nearest, k)
        place = int(change.argmin())
        if float(change.view(-1)[place]) < -TOLERANCE:
            medoids[place % k] = start + place // k
            nearest = two_nearest(D, medoids)
            idle = 0
        else:
            idle += len(change)
        start = start + BATCH if start + BATCH < n else 0
    return medoids


def two_nearest(D, medoids):
    values, places = D[:, medoids].topk(2, dim=1, largest=False)
    return places[:, 0], values[:, 0], values[:, 1]


def changes(rows, first, d1, d2, k):
    """What TD changes by, (rows, k), when the point of a row takes the place of a medoid."""
    closer = (rows - d1).clamp(max=0.0)
    own = torch.minimum(rows, d2) - d2 - closer
    members = torch.nn.functional.one_hot(first, k).to(rows.dtype)
    removal = (d2 - d1) @ members
    return closer.sum(dim=1)[:, None] + removal + own @ members
