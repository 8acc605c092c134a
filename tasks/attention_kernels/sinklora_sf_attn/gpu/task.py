"""The size ``gpu`` of sinklora_sf_attn: the pattern is given, and what is raced is the kernel that computes it.

Outputs are averaged over blocks of queries, so that their way back to the host is short beside the work.
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

TOLERANCE = 5e-3
BLOCK = 64
SINKS = 4
SAMPLED = 12
"""Blocks that are judged, each with all its queries."""

STATEMENT = f"""
Compute attention with sinks in groups over a long context, averaged over blocks of queries.

`attend(Q, K, V, group, sinks, block)` receives Q, K and V float32 (heads, n, d). Query i of head h sees key j <= i
where j < `sinks`, or where (i + s) // group == (j + s) // group, with s = group / 2 for the heads h >= heads / 2 and 0
for the others. O_i is the softmax over the scores q_i . k_j / sqrt(d) of the keys seen, times their values. Return
float32 (heads, n / block, d): the mean of O over each `block` of consecutive queries.

**Validity.** On hidden blocks no entry may be off by more than 0.005 times the largest entry. `group` is a multiple of
2 `block`, n of `group`.
{CALLED}"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    heads, n, d, group = (2, 1024, 32, 128) if size == "smoke" else (8, 8192, 64, 1024)
    Q, K, V = (rng.standard_normal((heads, n, d), dtype=np.float32) for _ in range(3))
    K[:, :SINKS] *= 2.0
    places = [(int(rng.integers(heads)), int(rng.integers(n // BLOCK))) for _ in range(SAMPLED)]
    inputs = {"Q": Q, "K": K, "V": V, "group": group, "sinks": SINKS, "block": BLOCK}
    return [Instance("long context", inputs, (places, np.stack([exact(inputs, *place) for place in places])))]


def exact(inputs: dict[str, Any], head: int, place: int) -> np.ndarray:
    """Mean output (d,) of a block of queries in double precision."""
    Q, K, V = (inputs[name][head].astype(np.float64) for name in ("Q", "K", "V"))
    shift = inputs["group"] // 2 if head >= len(inputs["Q"]) // 2 else 0
    i, j = np.arange(place * BLOCK, (place + 1) * BLOCK)[:, None], np.arange((place + 1) * BLOCK)
    seen = (j <= i) & ((j < SINKS) | ((i + shift) // inputs["group"] == (j + shift) // inputs["group"]))
    scores = np.where(seen, Q[i[:, 0]] @ K[j].T / np.sqrt(Q.shape[1]), -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (weights @ V[j] / weights.sum(axis=1, keepdims=True)).mean(axis=0)


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    places, truth = instance.secret
    heads, n, d = instance.inputs["Q"].shape
    found = as_array(output, shape=(heads, n // BLOCK, d), low=-1e3, high=1e3)
    sampled = np.stack([found[place] for place in places])
    error = float(np.abs(sampled - truth).max() / np.abs(truth).max())
    if not error <= TOLERANCE:
        return Verdict.invalid(f"the largest error is {error:.2g} of the largest entry, 0.005 is allowed", error=error)
    return Verdict(True, {"error": max(error, 1e-9)})


task = Task(
    id="sinklora_sf_attn_gpu",
    family="attention_kernels",
    title="Attention with sinks in shifted groups on a GPU",
    paper=Paper("SinkLoRA: Enhanced Efficiency and Chat Capabilities for Long-Context Large Language Models", 2024),
    entry=Entry("def attend(Q: Tensor, K: Tensor, V: Tensor, group: int, sinks: int, block: int) -> Tensor"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("device_seconds", Direction.MINIMIZE, "log", measure=Measure.DEVICE_SECONDS, unit="s"),
    descriptors=(
        Descriptor("error", 1e-8, 1e-2, bins=8, scale="log"),
        Descriptor("code_size", 40, 800, bins=8, scale="log"),
    ),
    limits=GPU_LIMITS,
    suspicious_ratio=30.0,
    claim="Attention in groups with sinks takes time in proportion to the group and not to the context.",
)
