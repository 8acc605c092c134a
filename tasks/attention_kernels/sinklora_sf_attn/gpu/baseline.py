"""All scores of a head, masked."""

import torch

# EVOLVE-BLOCK-START


def attend(Q, K, V, group, sinks, block):
    heads, n, d = Q.shape
    place = torch.arange(n, device=Q.device)
    outputs = []
    for head in range(heads):
        owner = (place + (group // 2 if head >= heads // 2 else 0)) // group
        seen = (place <= place[:, None]) & ((place < sinks) | (owner == owner[:, None]))
        scores = (Q[head] @ K[head].T / d**0.5).masked_fill(~seen, -torch.inf)
        output = torch.softmax(scores, dim=1) @ V[head]
        outputs.append(output.view(n // block, block, d).mean(dim=1))
    return torch.stack(outputs)


# EVOLVE-BLOCK-END
