"""The size ``gpu`` of smash_spgemm: the product's rows are summed, so that its way back to the host is short.

Every row of a matrix has the same number of entries, so that instances have the same shapes; columns are crowded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .....evaluators import (
    CallLog,
    Descriptor,
    Direction,
    Entry,
    Instance,
    Measure,
    Objective,
    Paper,
    Size,
    Task,
    Verdict,
)
from .....evaluators.checks import as_array
from ....gpu import CALLED, GPU_LIMITS

TOLERANCE = 1e-4

STATEMENT = f"""
Multiply two sparse matrices over the semiring (min, +) and sum up the product's rows:
C[i, j] = min over k of A[i, k] + B[k, j], over the entries that are stored.

`row_sums(n, a_ptr, a_idx, a_val, b_ptr, b_idx, b_val)` receives A and B (n, n) as compressed sparse rows: row i of A
has the columns `a_idx[a_ptr[i]:a_ptr[i + 1]]`, in order and none twice, with the values `a_val` of the same places;
int64, int64 and float32. Values are positive.

Return `(counts, sums)`: int64 (n,), how many places of each row of C are stored, where at least one k has both entries,
and float32 (n,), the sum of the row's stored values.

**Validity.** Counts are exact, sums are within 1e-4 of their size. Some columns are crowded.
{CALLED}"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    n, entries = (1024, 24) if size == "smoke" else (4096, 40)
    a, b = (_rows(rng, n, entries) for _ in range(2))
    names = [f"{matrix}_{part}" for matrix in "ab" for part in ("ptr", "idx", "val")]
    inputs = {"n": n} | dict(zip(names, (*a, *b), strict=True))
    return [Instance("crowded columns", inputs, exact(n, a, b))]


def _rows(rng: np.random.Generator, n: int, entries: int) -> tuple[np.ndarray, ...]:
    """``entries`` different columns a row, drawn in proportion to (rank + 10)^-0.5 (by exponential races)."""
    weight = rng.permutation((np.arange(n) + 10.0) ** -0.5).astype(np.float32)
    race = rng.standard_exponential((n, n), dtype=np.float32) / weight
    columns = np.sort(np.argpartition(race, entries, axis=1)[:, :entries], axis=1).astype(np.int64)
    pointers = np.arange(n + 1, dtype=np.int64) * entries
    return pointers, columns.reshape(-1), rng.uniform(0.01, 1.0, n * entries).astype(np.float32)


def exact(n: int, a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Counts and sums (n,), a row at a time over a dense row."""
    counts, sums = np.empty(n, dtype=np.int64), np.empty(n)
    (a_ptr, a_idx, a_val), (b_ptr, b_idx, b_val) = a, b
    entries = int(b_ptr[1])
    columns, values = b_idx.reshape(n, entries), b_val.reshape(n, entries).astype(np.float64)
    for row in range(n):
        own = slice(a_ptr[row], a_ptr[row + 1])
        dense = np.full(n, np.inf)
        np.minimum.at(dense, columns[a_idx[own]], a_val[own].astype(np.float64)[:, None] + values[a_idx[own]])
        stored = dense < np.inf
        counts[row], sums[row] = stored.sum(), dense[stored].sum()
    return counts, sums


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    truth_counts, truth = instance.secret
    if not isinstance(output, tuple | list) or len(output) != 2:
        return Verdict.invalid("the output must be the pair (counts, sums)")
    counts = as_array(output[0], shape=truth.shape, name="counts", integer=True)
    sums = as_array(output[1], shape=truth.shape, name="sums")
    if not (counts == truth_counts).all():
        return Verdict.invalid("some counts are not those of the product's pattern")
    error = float((np.abs(sums - truth) / truth).max())
    if not error <= TOLERANCE:
        return Verdict.invalid(f"a sum is off by {error:.1e} of its size, 1e-4 is allowed")
    return Verdict(True, {"error": max(error, 1e-9)})


task = Task(
    id="smash_spgemm_gpu",
    family="linear_systems",
    title="Sparse matrix products over (min, +) on a GPU",
    paper=Paper("SMASH: Sparse Matrix Atomic Scratchpad Hashing", 2021),
    entry=Entry(
        "def row_sums(n: int, a_ptr: Tensor, a_idx: Tensor, a_val: Tensor, b_ptr: Tensor, b_idx: Tensor, b_val: Tensor)"
        " -> tuple[Tensor, Tensor]"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("device_seconds", Direction.MINIMIZE, "log", measure=Measure.DEVICE_SECONDS, unit="s"),
    descriptors=(
        Descriptor("error", 1e-8, 1e-2, bins=8, scale="log"),
        Descriptor("code_size", 40, 800, bins=8, scale="log"),
    ),
    limits=GPU_LIMITS,
    suspicious_ratio=20.0,
    claim="Products merged by atomic minima in a scratchpad take fewer passes than products that are sorted.",
)
