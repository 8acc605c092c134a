"""Sinkhorn's matrix scaling with absorption of large scalings into the potentials (Schmitzer 2019, section 3.1)."""

import torch

# EVOLVE-BLOCK-START
CHECK_EVERY = 50
MOST_STEPS = 200_000
LARGEST_LOG = 50.0
SAFETY = 0.9


def solve(C, a, b, eps, tol):
    x = C.amin(dim=1)
    y = (C - x[:, None]).amin(dim=0)
    K = torch.exp((x[:, None] + y - C) / eps)
    u, v = torch.ones_like(a), torch.ones_like(b)
    for step in range(1, MOST_STEPS + 1):
        u = a / (K @ v)
        v = b / (K.T @ u)
        if step % CHECK_EVERY == 0:
            if float(torch.cat([u.log().abs(), v.log().abs()]).max()) > LARGEST_LOG:
                x, y = x + eps * u.log(), y + eps * v.log()
                K = torch.exp((x[:, None] + y - C) / eps)
                u, v = torch.ones_like(a), torch.ones_like(b)
            elif float((u * (K @ v) - a).abs().sum()) < SAFETY * tol:
                break
    return x + eps * u.log(), y + eps * v.log()


# EVOLVE-BLOCK-END
