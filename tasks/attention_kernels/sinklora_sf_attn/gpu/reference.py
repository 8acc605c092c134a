"""Sink fixed attention (SinkLoRA, Zhang 2024, section 3), a group at a time: what is masked is never computed.

On a GPU it is one kernel in Triton with a running softmax: a program takes a block of queries over the keys of its
group, and over the sinks where they lie outside.
"""

import itertools

import torch

try:
    import triton
    import triton.language as tl
except ImportError:
    pass  # a machine without a GPU
else:

    @triton.jit
    def pooled(q, k, v, out, n, group, sinks, half, scale, D: tl.constexpr, B: tl.constexpr):
        head, block = tl.program_id(0), tl.program_id(1)
        shift = tl.where(head >= half, group // 2, 0)
        start = head.to(tl.int64) * n * D
        rows, dims = block * B + tl.arange(0, B), tl.arange(0, D)
        queries = tl.load(q + start + rows[:, None] * D + dims[None, :])
        owner = (rows + shift) // group
        largest = tl.full((B,), -1e30, tl.float32)
        total = tl.zeros((B,), tl.float32)
        mixed = tl.zeros((B, D), tl.float32)
        first = tl.maximum((block * B + shift) // group * group - shift, 0) // B
        for at in range(-1, block + 1 - first):
            columns = tl.where(at < 0, 0, first + at) * B + tl.arange(0, B)
            keys = tl.load(k + start + columns[None, :] * D + dims[:, None])
            values = tl.load(v + start + columns[:, None] * D + dims[None, :])
            own = (columns[None, :] + shift) // group == owner[:, None]
            # The first round is for the sinks outside the group.
            seen = (own & (at >= 0)) | ((columns[None, :] < sinks) & (at < 0) & (own == 0))
            seen = seen & (columns[None, :] <= rows[:, None])
            scores = tl.where(seen, tl.dot(queries, keys) * scale, -1e30)
            top = tl.maximum(largest, tl.max(scores, axis=1))
            weights = tl.where(seen, tl.exp(scores - top[:, None]), 0.0)
            keep = tl.exp(largest - top)
            total = total * keep + tl.sum(weights, axis=1)
            mixed = mixed * keep[:, None] + tl.dot(weights, values)
            largest = top
        mean = tl.sum(mixed / total[:, None], axis=0) / B
        tl.store(out + (head.to(tl.int64) * (n // B) + block) * D + dims, mean)


def attend(Q, K, V, group, sinks, block):
    return by_kernel(Q, K, V, group, sinks, block) if Q.is_cuda else by_groups(Q, K, V, group, sinks, block)


def by_kernel(Q, K, V, group, sinks, block):
    heads, n, d = Q.shape
    out = torch.empty(heads, n // block, d, device=Q.device)
    pooled[(heads, n // block)](Q, K, V, out, n, group, sinks, heads // 2, d**-0.5, D=d, B=block)
    return out


def by_groups(Q, K, V, group, sinks, block):
    heads, n, d = Q.shape
    output = torch.empty_like(Q)
    for part, shift in ((slice(0, heads // 2), 0), (slice(heads // 2, heads), group // 2)):
        edges = [0, *range(group - shift, n, group), n]
        for first, last in itertools.pairwise(edges):
            before = min(sinks, first)
            keys, values = (torch.cat([M[part, :before], M[part, first:last]], dim=1) for M in (K, V))
            place = torch.arange(last - first)
            seen = torch.cat([torch.ones(last - first, before, dtype=torch.bool), place <= place[:, None]], dim=1)
            scores = (Q[part, first:last] @ keys.mT / d**0.5).masked_fill(~seen, -torch.inf)
            output[part, first:last] = torch.softmax(scores, dim=2) @ values
    return output.view(heads, n // block, block, d).mean(dim=2)
