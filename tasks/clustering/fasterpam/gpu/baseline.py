"""FastPAM1 (Schubert and Rousseeuw 2019): random start, then the best of all swaps, until none helps."""

import torch

# EVOLVE-BLOCK-START
TOLERANCE = 1e-4
MOST_SWAPS = 1000


def kmedoids(D, k, seed):
    generator = torch.Generator().manual_seed(seed)
    medoids = torch.randperm(len(D), generator=generator)[:k].to(D.device)
    for _ in range(MOST_SWAPS):
        change = changes(D, *two_nearest(D, medoids), k)
        place = int(change.argmin())
        if float(change.view(-1)[place]) > -TOLERANCE:
            break
        medoids[place % k] = place // k
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


# EVOLVE-BLOCK-END
