"""Expand, sort, compress: all partial products, sorted by place, minima of equal places."""

import torch

# EVOLVE-BLOCK-START


def row_sums(n, a_ptr, a_idx, a_val, b_ptr, b_idx, b_val):
    row, column, value = expand(a_ptr, a_idx, a_val, b_ptr, b_idx, b_val)
    place, order = torch.sort(row * n + column)
    stored, group = torch.unique_consecutive(place, return_inverse=True)
    least = torch.full((len(stored),), torch.inf, device=value.device)
    least.scatter_reduce_(0, group, value[order], "amin")
    owner = stored // n
    sums = torch.zeros(n, device=value.device).index_add_(0, owner, least)
    return torch.bincount(owner, minlength=n), sums


def expand(a_ptr, a_idx, a_val, b_ptr, b_idx, b_val):
    """Row, column and value of every partial product."""
    length = (b_ptr[1:] - b_ptr[:-1])[a_idx]
    entry = torch.repeat_interleave(torch.arange(len(a_idx), device=a_idx.device), length)
    within = torch.arange(len(entry), device=a_idx.device) - (length.cumsum(0) - length)[entry]
    source = b_ptr[a_idx[entry]] + within
    row = torch.searchsorted(a_ptr, entry, right=True) - 1
    return row, b_idx[source], a_val[entry] + b_val[source]


# EVOLVE-BLOCK-END
