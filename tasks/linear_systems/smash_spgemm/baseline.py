"""Expand, sort, compress: all partial products of a block of rows, sorted by place, minima of equal places."""

import numpy as np

# EVOLVE-BLOCK-START
BLOCKS = 2


def spgemm_minplus(n, k, m, a_ptr, a_idx, a_val, b_ptr, b_idx, b_val):
    size = -(-n // BLOCKS)
    places, values = [], []
    for first in range(0, n, size):
        last = min(first + size, n)
        place, value = expand(first, last, m, a_ptr, a_idx, a_val, b_ptr, b_idx, b_val)
        order = np.argsort(place, kind="stable")
        place, value = place[order], value[order]
        start = np.ones(len(place), dtype=bool)
        start[1:] = place[1:] != place[:-1]
        start = np.flatnonzero(start)
        places.append(place[start])
        values.append(np.minimum.reduceat(value, start) if len(start) else value)
    place, value = np.concatenate(places), np.concatenate(values)
    pointers = np.searchsorted(place, np.arange(n + 1) * m)
    return pointers, place % m, value


def expand(first, last, m, a_ptr, a_idx, a_val, b_ptr, b_idx, b_val):
    begin, end = a_ptr[first], a_ptr[last]
    middle = a_idx[begin:end]
    length = b_ptr[middle + 1] - b_ptr[middle]
    offset = np.cumsum(length) - length
    source = np.repeat(b_ptr[middle] - offset, length) + np.arange(length.sum())
    row = np.repeat(np.arange(first, last), a_ptr[first + 1 : last + 1] - a_ptr[first:last])
    place = np.repeat(row, length) * m + b_idx[source]
    value = np.repeat(a_val[begin:end], length) + b_val[source]
    return place, value


# EVOLVE-BLOCK-END
