import torch
import torch.nn as nn


class Model(nn.Module):
    """
    A linear layer, a gate, and the mean over the rows.
    """

    def __init__(self, in_features: int, out_features: int):
        super(Model, self).__init__()
        self.linear = nn.Linear(in_features, out_features)
        self.gate = nn.Linear(in_features, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = []
        for row in x:
            rows.append(self.linear(row) * torch.sigmoid(self.gate(row)))
        return torch.stack(rows).mean(dim=0)


batch_size = 512
in_features = 64
out_features = 32


def get_inputs():
    return [torch.rand(batch_size, in_features)]


def get_init_inputs():
    return [in_features, out_features]
