"""Products of sparse matrices over (min, +) in little time (Shivdikar 2021, SMASH).

Partial products are merged in a scratchpad while they are made, window of rows by window, instead of being stored,
sorted and compressed.

Scaled down: the atomics, threads and memory engines of the machine that the thesis builds on become vectorised windows
in one process; 0.65 to 1 million partial products.

Changed against the catalogue's sketch: smaller and denser matrices, with 14 to 36 entries a row. Their scratchpads need
no hashing, the slot is the place itself; where most places of a window stay empty (few entries a row of many columns)
such windows are no faster than sorting. Memory is a descriptor and no constraint: on these sizes the interpreter's own
share hides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....evaluators import (
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
    TaskLimits,
    Verdict,
    input_bytes,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..workloads import compressed_rows, min_plus

Array = np.ndarray[Any, Any]
TOLERANCE = 1e-12
# Kind, and rows, inner length, columns and entries of each factor as multiples of the instance's size.
KINDS = {
    "graph": (1.0, 1.0, 1.0, 14.0),
    "uniform": (1.0, 1.0, 1.0, 28.0),
    "banded": (1.0, 1.0, 1.0, 36.0),
    "power law": (1.5, 1.0, 0.75, 32.0),
}

STATEMENT = """
Multiply two sparse matrices over the semiring (min, +), exactly and in as little CPU time as possible:
C[i, j] = min over k of A[i, k] + B[k, j], over the entries that are stored.

`spgemm_minplus(n, k, m, a_ptr, a_idx, a_val, b_ptr, b_idx, b_val)` receives A (n, k) and B (k, m) as compressed sparse
rows: row i of A has the columns `a_idx[a_ptr[i]:a_ptr[i + 1]]`, in order and none twice, with the values `a_val` of the
same places; int64, int64 and float64. Values are positive.

Return C in the same form: `(ptr, idx, val)` with ptr int64 (n + 1,), the columns of each row in order and none twice. A
place is stored exactly where at least one k has both entries.

**Measured.** CPU seconds of the whole process, all threads, from its start to its end; geometric mean over the
products; less is better. Matrices are graphs with few crowded nodes, uniform, banded, or have crowded columns; n is
around 1000, and there are up to a million sums A[i, k] + B[k, j]. Every program gets fresh matrices, and every repeat a
fresh process.

**Rules.** Another pattern, or a value off by more than 1e-12 of it, is invalid. Only numpy may be used; compiling code
is not possible.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    side = {"smoke": 256, "default": 1024, "gpu": 16384}[size]
    made = []
    for kind, (rows, inner, columns, entries) in KINDS.items():
        n, k, m = (int(side * share) for share in (rows, inner, columns))
        a = compressed_rows(rng, kind, n, k, int(entries * side))
        b = compressed_rows(rng, kind, k, m, int(entries * side))
        names = [f"{matrix}_{part}" for matrix in "ab" for part in ("ptr", "idx", "val")]
        inputs = {"n": n, "k": k, "m": m} | dict(zip(names, (*a, *b), strict=True))
        made.append(Instance(kind, inputs))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    inputs, n, m = instance.inputs, instance.inputs["n"], instance.inputs["m"]
    if not isinstance(output, list | tuple) or len(output) != 3:
        return Verdict.invalid("the result must be three arrays: ptr, idx and val")
    ptr = as_array(output[0], shape=(n + 1,), name="ptr", integer=True, low=0)
    idx = as_array(output[1], shape=(None,), name="idx", integer=True, low=0, high=m - 1)
    val = as_array(output[2], shape=idx.shape, name="val")
    if ptr[0] != 0 or ptr[-1] != len(idx) or not (np.diff(ptr) >= 0).all():
        return Verdict.invalid("ptr must rise from 0 to the number of entries")
    a, b = ((inputs[f"{x}_ptr"], inputs[f"{x}_idx"], inputs[f"{x}_val"]) for x in "ab")
    exact = min_plus(a, b, m)
    row, column = np.nonzero(np.isfinite(exact))
    if not (np.array_equal(np.repeat(np.arange(n), np.diff(ptr)), row) and np.array_equal(idx, column)):
        return Verdict.invalid("the pattern is not that of the product, or columns are not in order")
    if not (np.abs(val - exact[row, column]) <= TOLERANCE * exact[row, column]).all():
        return Verdict.invalid("a value is off by more than 1e-12 of it")
    products = int(np.diff(b[0])[a[1]].sum())
    return Verdict(valid=True, metrics={"products": float(products), "compression": products / max(len(idx), 1)})


def fewest_places(instance: Instance) -> int:
    """Of C, at least: a row has as many as the longest row of B that it meets. Each holds a sum of its own."""
    a_ptr, a_idx, b_ptr = (instance.inputs[name] for name in ("a_ptr", "a_idx", "b_ptr"))
    met = np.append(np.diff(b_ptr)[a_idx], 0)
    longest = np.maximum.reduceat(met, a_ptr[:-1])
    return int(longest[np.diff(a_ptr) > 0].sum())


task = Task(
    id="smash_spgemm",
    family="linear_systems",
    title="Sparse products for shortest paths",
    paper=Paper("SMASH: Sparse Matrix Atomic Scratchpad Hashing", 2021),
    entry=Entry(
        "def spgemm_minplus(n: int, k: int, m: int, a_ptr: np.ndarray, a_idx: np.ndarray, a_val: np.ndarray, "
        "b_ptr: np.ndarray, b_idx: np.ndarray, b_val: np.ndarray) -> tuple"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("cpu_seconds", Direction.MINIMIZE, "log", Measure.CPU_SECONDS, unit="s"),
    descriptors=(
        Descriptor("peak_memory", 30e6, 200e6, bins=6, scale="log"),
        Descriptor("code_size", 100, 800, bins=8, scale="log"),
        Descriptor("cpu_seconds", 0.005, 0.2, bins=8, scale="log"),
    ),
    limits=TaskLimits(
        run=Limits(cpu_seconds=1.0, wall_seconds=20.0, memory_bytes=512 * MIB),
        cpu_times_baseline=4.0,
        imports=("numpy",),
    ),
    repeats=2,
    flops=fewest_places,
    bytes=lambda instance: input_bytes(instance) + 8 * fewest_places(instance),
    precision="float64",
    claim=(
        "Merging products as they are made is 9.4 times as fast as other methods on the thesis's machine; measured "
        "here is CPU time against expanding, sorting and compressing."
    ),
)
