"""SMASH (Shivdikar 2021): rows in windows, products merged as they are made in a scratchpad, then written back.

A window is as many rows as the scratchpad holds (rows x m places) and as have at most SHARE of its places in products,
so that work is balanced. Its products are added to the scratchpad by an atomic minimum; no product is sorted or kept.
Touched places alone are cleared. In hardware the scratchpad is a hash table; where all its places fit, the place itself
is the hash.
"""

import numpy as np

SCRATCHPAD = 1 << 18
SHARE = 1


def spgemm_minplus(n, k, m, a_ptr, a_idx, a_val, b_ptr, b_idx, b_val):
    per_entry = np.diff(b_ptr)[a_idx]
    made = np.concatenate([[0], np.cumsum(per_entry)])
    before_row = made[a_ptr]
    scratchpad = np.full(max(SCRATCHPAD, m), np.inf)
    counts, columns, values = np.zeros(n, dtype=np.int64), [], []
    first = 0
    while first < n:
        fitting = int(np.searchsorted(before_row, before_row[first] + SHARE * SCRATCHPAD, side="right")) - 1
        last = min(max(fitting, first + 1), first + max(len(scratchpad) // m, 1), n)
        begin, end = a_ptr[first], a_ptr[last]
        length, middle = per_entry[begin:end], a_idx[begin:end]
        source = np.arange(int(made[begin]), int(made[end])) + np.repeat(b_ptr[middle] - made[begin:end], length)
        row = np.repeat(np.arange(last - first), np.diff(a_ptr[first : last + 1]))
        slot = np.repeat(row * m, length) + b_idx[source]
        np.minimum.at(scratchpad, slot, np.repeat(a_val[begin:end], length) + b_val[source])
        touched = np.flatnonzero(scratchpad[: (last - first) * m] < np.inf)
        row, column = np.divmod(touched, m)
        counts[first:last] = np.bincount(row, minlength=last - first)
        columns.append(column)
        values.append(scratchpad[touched])
        scratchpad[touched] = np.inf
        first = last
    return np.concatenate([[0], np.cumsum(counts)]), np.concatenate(columns), np.concatenate(values)
