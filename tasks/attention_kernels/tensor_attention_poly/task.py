"""Attention over pairs of keys in less than cubic time (Alman and Song 2024, Higher-order Correlations).

The paper shows that tensor attention with small entries can be approximated in nearly linear time by the polynomial
method, and that with larger ones it cannot (under SETH).

Scaled down: n of 320 to 400 and d of 4 and 5; the lower bound is no part of the task.

Changed against the catalogue's sketch: n is smaller (a run evaluates many programs) and d = 6 is left out, where the
rank C(d+g, g) of the reference comes near n. Entries are at most 1.2. Errors are measured against how much the output
varies from query to query: an error of 1e-3 of the output's size was also met by the same answer for all queries.
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
from ..workloads import tensor_attention, tensor_attention_inputs

TOLERANCE = 1e-2

STATEMENT = """
Compute attention over pairs of keys, to a given accuracy, in as little CPU time as possible.

`attend(Q, K1, K2, V1, V2)` receives five float64 arrays (n, d) and returns O float64 (n, d):

O_i = sum_{j,k} A_ijk (V1_j * V2_k) / sum_{j,k} A_ijk with A_ijk = exp(sum_l Q_il K1_jl K2_kl / d),

where * is the product of entries and j, k run over all n keys.

**Validity.** On every instance max |O - exact| <= 0.01 max |exact - its mean over the queries|, one hundredth of what
the output varies by from query to query. (It varies little: this is between 3e-6 and 1e-4 of its size.)

**Measured.** CPU seconds of the whole process, all threads, from its start to its end, geometric mean over the
instances; less is better. Entries of Q, K1 and K2 are at most 1.2 in size (spread evenly, in clusters, or mostly
smaller); n is 320 to 400, d 4 or 5. Every program gets fresh arrays, and every repeat a fresh process.

Only numpy may be used; compiling code is not possible.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    kinds = (("spread", 4, 1.2), ("clustered", 4, 1.0), ("few large", 5, 1.2), ("spread", 5, 0.8))
    middle = {"smoke": 216, "default": 360, "gpu": 1500}[size]
    made = []
    for kind, d, bound in kinds[1:2] if size == "smoke" else kinds:
        n = int(rng.integers(8 * middle // 9, 10 * middle // 9))
        inputs = tensor_attention_inputs(rng, kind, n, d, bound)
        made.append(Instance(f"{kind}, d = {d}", inputs, secret=tensor_attention(**inputs)))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    exact = instance.secret
    found = as_array(output, shape=exact.shape, low=-1e6, high=1e6)
    error = float(np.abs(found - exact).max() / np.abs(exact - exact.mean(axis=0)).max())
    if not error <= TOLERANCE:
        return Verdict.invalid(f"the largest error is {error:.2g} of the variation, 0.01 is allowed", error=error)
    return Verdict(valid=True, metrics={"error": max(error, 1e-16)})


task = Task(
    id="tensor_attention_poly",
    family="attention_kernels",
    title="Attention over pairs of keys",
    paper=Paper(
        "How to Capture Higher-order Correlations? Generalizing Matrix Softmax Attention to Kronecker Computation", 2024
    ),
    entry=Entry(
        "def attend(Q: np.ndarray, K1: np.ndarray, K2: np.ndarray, V1: np.ndarray, V2: np.ndarray) -> np.ndarray"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("cpu_seconds", Direction.MINIMIZE, "log", Measure.CPU_SECONDS, unit="s"),
    descriptors=(
        Descriptor("error", 1e-16, 1e-2, bins=8, scale="log"),
        Descriptor("code_size", 60, 600, bins=8, scale="log"),
        Descriptor("peak_memory", 2e7, 5e8, bins=6, scale="log"),
    ),
    limits=TaskLimits(
        run=Limits(cpu_seconds=3.0, wall_seconds=30.0, memory_bytes=512 * MIB),
        cpu_times_baseline=4.0,
        imports=("numpy",),
    ),
    repeats=2,
    bytes=input_bytes,
    claim=(
        "For bounded entries tensor attention takes nearly linear instead of cubic time; measured here is CPU time "
        "against the direct sum at an error of a hundredth of the output's variation."
    ),
)
