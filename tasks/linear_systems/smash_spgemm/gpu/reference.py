"""SMASH (Shivdikar 2021): rows in windows, products merged by an atomic minimum in a scratchpad as they are made.

Where all places of a window fit into the scratchpad, the place itself is the hash. No product is sorted.
"""

import torch

WINDOW = 1 << 24
"""Places of the scratchpad."""


def row_sums(n, a_ptr, a_idx, a_val, b_ptr, b_idx, b_val):
    row, column, value = expand(a_ptr, a_idx, a_val, b_ptr, b_idx, b_val)
    rows = max(WINDOW // n, 1)
    counts, sums = [], []
    for first in range(0, n, rows):
        last = min(first + rows, n)
        begin, end = torch.searchsorted(row, torch.tensor([first, last], device=row.device)).tolist()
        scratchpad = torch.full((last - first, n), torch.inf, device=value.device)
        places = (row[begin:end] - first) * n + column[begin:end]
        scratchpad.view(-1).scatter_reduce_(0, places, value[begin:end], "amin")
        stored = scratchpad < torch.inf
        counts.append(stored.sum(dim=1))
        sums.append(torch.where(stored, scratchpad, 0.0).sum(dim=1))
    return torch.cat(counts), torch.cat(sums)


def expand(a_ptr, a_idx, a_val, b_ptr, b_idx, b_val):
    """Row, column and value of every partial product."""
    length = (b_ptr[1:] - b_ptr[:-1])[a_idx]
    entry = torch.repeat_interleave(torch.arange(len(a_idx), device=a_idx.device), length)
    within = torch.arange(len(entry), device=a_idx.device) - (length.cumsum(0) - length)[entry]
    source = b_ptr[a_idx[entry]] + within
    row = torch.searchsorted(a_ptr, entry, right=True) - 1
    return row, b_idx[source], a_val[entry] + b_val[source]
