"""For each temperature a softmax that is stored, then summed over the blocks."""

import torch

# EVOLVE-BLOCK-START


def block_masses(x, temperatures, block):
    rows, n = x.shape
    masses = []
    for temperature in temperatures:
        weights = torch.softmax(x / temperature, dim=1)
        masses.append(weights.view(rows, n // block, block).sum(dim=2))
    return torch.stack(masses)


# EVOLVE-BLOCK-END
