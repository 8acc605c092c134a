import torch


# EVOLVE-BLOCK-START
def norms(X):
    out = torch.zeros(len(X), device=X.device)
    for _ in range(16):
        for j in range(X.shape[1]):
            out += X[:, j] * X[:, j] / 16
    return out


# EVOLVE-BLOCK-END
