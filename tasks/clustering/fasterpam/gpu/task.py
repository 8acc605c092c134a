"""The size ``gpu`` of fasterpam: one large matrix, held to a local search by the parent's reference."""

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
from ....gpu import CALLED, GPU_LIMITS
from ...workloads import manhattan
from ..reference import kmedoids as trusted_kmedoids
from ..task import judge as judge_deviation
from ..task import total_deviation

STATEMENT = f"""
Find k medoids of a dissimilarity matrix.

`kmedoids(D, k, seed)` receives D float32 (n, n), non-negative, symmetric, zero on the diagonal; `k`; and `seed`, an
integer for the program's own random choices. Return k distinct integers in 0 ... n-1, int64 (k,): the medoids M. Their
total deviation is TD(M) = sum_o min_{{m in M}} D[o, m].

**Validity.** TD must be at most 1.03 times that of a good local search (no single swap of a medoid with another point
improves its result).
{CALLED}"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    n, k = (1536, 24) if size == "smoke" else (4096, 64)
    D = manhattan(rng, n, 2 * k).astype(np.float32)
    seed, own = rng.integers(0, 2**31, 2).tolist()
    secret = total_deviation(D, trusted_kmedoids(D.astype(np.float64), k, own))
    return [Instance("manhattan", {"D": D, "k": k, "seed": seed}, secret)]


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    verdict = judge_deviation(instance, output, log)
    return Verdict(verdict.valid, {"error": abs(verdict.metrics.get("deviation_ratio", 1.0) - 1.0)}, verdict.note)


task = Task(
    id="fasterpam_gpu",
    family="clustering",
    title="k medoids on a GPU",
    paper=Paper("Fast and Eager k-Medoids Clustering", 2021),
    entry=Entry("def kmedoids(D: Tensor, k: int, seed: int) -> Tensor"),
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
    claim="Swaps that are done as soon as they help need fewer passes over the matrix than the best of all swaps.",
)
