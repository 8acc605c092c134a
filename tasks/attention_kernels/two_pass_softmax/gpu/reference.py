"""The two-pass softmax (Dukhan and Ablavatski 2020, section 4) with blocks in the place of lanes.

exp(x) is kept as a pair (m, e), standing for m 2^e with a whole number e, so that no maximum over the row is needed
beforehand: pass 1 sums the pairs of a block, (M, E) + (m, e) = (M 2^(E-F) + m 2^(e-F), F) with F = max(E, e). The
second pass goes over the blocks' pairs only. x is read once for all temperatures. On a GPU pass 1 is in Triton.
"""

import math

import torch

try:
    import triton
    import triton.language as tl
except ImportError:
    pass  # a machine without a GPU
else:

    @triton.jit
    def sum_pairs(x, scales, mantissas, exponents, count, blocks, LENGTH: tl.constexpr):
        block = tl.program_id(0)
        values = tl.load(x + block.to(tl.int64) * LENGTH + tl.arange(0, LENGTH))
        for at in range(count):
            powers = values * tl.load(scales + at)
            largest = tl.max(tl.floor(powers + 0.5), axis=0)
            tl.store(mantissas + at * blocks + block, tl.sum(tl.exp2(powers - largest), axis=0))
            tl.store(exponents + at * blocks + block, largest)


LOG2E = 1.0 / math.log(2.0)


def block_masses(x, temperatures, block):
    rows, n = x.shape
    scales = torch.tensor([LOG2E / temperature for temperature in temperatures], device=x.device)
    pairs = by_kernel if x.is_cuda else by_rows
    mantissas, exponents = pairs(x, scales, block)
    mantissas, exponents = (part.view(len(scales), rows, n // block) for part in (mantissas, exponents))
    masses = torch.ldexp(mantissas, exponents - exponents.amax(dim=2, keepdim=True))
    return masses / masses.sum(dim=2, keepdim=True)


def by_kernel(x, scales, block):
    blocks = x.numel() // block
    mantissas, exponents = torch.empty((2, len(scales), blocks), device=x.device)
    sum_pairs[(blocks,)](x, scales, mantissas, exponents, len(scales), blocks, LENGTH=block)
    return mantissas, exponents


def by_rows(x, scales, block):
    """A few blocks at a time, which stay in the cache for all temperatures."""
    mantissas, exponents = torch.empty((2, len(scales), x.numel() // block))
    pieces = 32
    buffer = torch.empty(pieces, block)
    for first in range(0, x.numel() // block, pieces):
        piece = x.view(-1, block)[first : first + pieces]
        powers = buffer[: len(piece)]
        largest = exponents[:, first : first + pieces]
        largest.copy_(torch.outer(scales, piece.amax(dim=1)).add_(0.5).floor_())
        for at, scale in enumerate(scales.tolist()):
            torch.mul(piece, scale, out=powers).sub_(largest[at][:, None]).exp2_()
            torch.sum(powers, dim=1, out=mantissas[at, first : first + pieces])
    return mantissas, exponents
