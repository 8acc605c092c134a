"""Deep conjugate directions (Kaneda, Akar, Chen, Kala, Hyde and Teran 2023, Algorithm 1).

A network without biases maps the normalised residual r to a direction d, which is made A-orthogonal to the last two;
the step along it minimises the error in the A-norm. Training needs no solutions: the loss is |r - a A d|^2 for the best
a, on the nominal five-point operator (the paper: |r - a A d|, r from Ritz vectors weighted to low modes; here half of
the r are A x of rough and smooth x, half are rough and smooth themselves). The network is linear: convolutions on four
resolutions with skips, the last one from r itself, without which some trainings end in directions that stagnate.
"""

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, conv2d, interpolate

CHANNELS = 8
LEVELS = 4
STEPS = 200
BATCH = 4
RATE = 4e-3
HISTORY = 2


class Directions(torch.nn.Module):
    def __init__(self):
        super().__init__()

        def convolution(inner, outer):
            return torch.nn.Conv2d(inner, outer, 3, padding=1, bias=False)

        self.first, self.last = convolution(1, CHANNELS), convolution(CHANNELS, 1)
        self.down = torch.nn.ModuleList([convolution(CHANNELS, CHANNELS) for _ in range(LEVELS)])
        self.up = torch.nn.ModuleList([convolution(CHANNELS, CHANNELS) for _ in range(LEVELS)])

    def forward(self, r, mask):
        h, skips = self.first(r), []
        for layer in self.down:
            h = h + layer(h)
            skips.append(h)
            h = avg_pool2d(h, 2)
        for layer, skip in zip(reversed(self.up), reversed(skips), strict=True):
            h = 2 * finer(h + layer(h)) + skip
        return (r + self.last(h)) * mask


def finer(h):
    return interpolate(h, scale_factor=2, mode="bilinear")


def nominal(x, mask):
    stencil = torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])[None, None]
    return conv2d(x * mask, stencil, padding=1) * mask


def train(masks, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Directions()
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for step in range(STEPS):
        mask = torch.tensor(masks[rng.integers(0, len(masks), BATCH)], dtype=torch.float32)[:, None]
        x = torch.randn(mask.shape)
        for _ in range(int(rng.integers(0, 4))):
            x = finer(avg_pool2d(x, 2))
        r = nominal(x, mask) if step % 2 == 0 else x * mask
        r = r / r.norm(dim=(2, 3), keepdim=True)
        image = nominal(net(r, mask), mask)
        best = (r * image).sum((2, 3), keepdim=True) / (image * image).sum((2, 3), keepdim=True)
        loss = ((r - best * image) ** 2).sum((1, 2, 3)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net


def solve_all(oracle, train_masks, test_masks, B, tolerance, seed):
    torch.set_num_threads(1)
    net = train(train_masks, seed)
    solutions = [solve(oracle, net, i, mask, B[i], tolerance) for i, mask in enumerate(test_masks)]
    return np.array(solutions)


def solve(oracle, net, i, mask, b, tolerance):
    x, r, past = np.zeros_like(b), b.copy(), []
    mask = torch.tensor(mask, dtype=torch.float32)[None, None]
    while np.linalg.norm(r) > tolerance * np.linalg.norm(b):
        with torch.no_grad():
            scaled = torch.tensor(r / np.linalg.norm(r), dtype=torch.float32)[None, None]
            d = net(scaled, mask)[0, 0].numpy().astype(float)
        for other, image in past[-HISTORY:]:
            d = d - np.sum(d * image) / np.sum(other * image) * other
        image = oracle.apply(i, d)
        alpha = np.sum(r * d) / np.sum(d * image)
        x, r = x + alpha * d, r - alpha * image
        past.append((d, image))
    return x
