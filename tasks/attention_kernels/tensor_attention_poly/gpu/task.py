"""The size ``gpu`` of tensor_attention_poly: several heads at once, judged on queries that are hidden.

The definition takes n^3 exponentials a head, so that the inputs are small beside the work. Values have mean 0: the
parent's, of mean 1, need more digits than single precision has.
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
from ...workloads import tensor_attention_inputs

TOLERANCE = 1e-2
SAMPLED = 24
"""Queries of each head that are judged."""

STATEMENT = f"""
Compute attention over pairs of keys for several heads, to a given accuracy.

`attend(Q, K1, K2, V1, V2)` receives five float32 tensors (heads, n, d) and returns O float32 (heads, n, d): in each
head

O_i = sum_{{j,k}} A_ijk (V1_j * V2_k) / sum_{{j,k}} A_ijk with A_ijk = exp(sum_l Q_il K1_jl K2_kl / d),

where * is the product of entries and j, k run over all n keys.

**Validity.** On hidden queries of every head max |O - exact| <= 0.01 max |exact - its mean over the queries|. Entries
of Q, K1 and K2 are at most 1 in size.
{CALLED}"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    heads, n, d = (2, 96, 4) if size == "smoke" else (8, 512, 4)
    made = [tensor_attention_inputs(rng, "spread", n, d, 1.0) for _ in range(heads)]
    for one in made:
        for name in ("V1", "V2"):
            one[name] = one[name] - 1.0
    inputs = {name: np.stack([one[name] for one in made]).astype(np.float32) for name in made[0]}
    rows = rng.choice(n, size=min(SAMPLED, n), replace=False)
    return [Instance("heads", inputs, (rows, exact(inputs, rows)))]


def exact(inputs: dict[str, Any], rows: np.ndarray) -> np.ndarray:
    """O (heads, len(rows), d) in double precision."""
    heads = [dict(zip(inputs, matrices, strict=True)) for matrices in zip(*inputs.values(), strict=True)]
    return np.stack([_head({name: part.astype(np.float64) for name, part in head.items()}, rows) for head in heads])


def _head(head: dict[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    Q, K1, K2, V1, V2 = (head[name] for name in ("Q", "K1", "K2", "V1", "V2"))
    output = np.empty((len(rows), Q.shape[1]))
    for at, row in enumerate(rows):
        weights = np.exp((K1 * (Q[row] / Q.shape[1])) @ K2.T)
        output[at] = (V1 * (weights @ V2)).sum(axis=0) / weights.sum()
    return output


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    rows, truth = instance.secret
    found = as_array(output, shape=instance.inputs["Q"].shape, low=-1e6, high=1e6)[:, rows]
    error = float(np.abs(found - truth).max() / np.abs(truth - truth.mean(axis=1, keepdims=True)).max())
    if not error <= TOLERANCE:
        return Verdict.invalid(f"the largest error is {error:.2g} of the variation, 0.01 is allowed", error=error)
    return Verdict(True, {"error": max(error, 1e-9)})


task = Task(
    id="tensor_attention_poly_gpu",
    family="attention_kernels",
    title="Attention over pairs of keys on a GPU",
    paper=Paper(
        "How to Capture Higher-order Correlations? Generalizing Matrix Softmax Attention to Kronecker Computation", 2024
    ),
    entry=Entry("def attend(Q: Tensor, K1: Tensor, K2: Tensor, V1: Tensor, V2: Tensor) -> Tensor"),
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
    claim="For bounded entries the polynomial method needs nearly linear instead of cubic work.",
)
