"""The size ``gpu`` of sinkhorn_newton_sparse: a large assignment in double precision, with the parent's judge."""

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
from ...workloads import images
from ..task import TOLERANCE
from ..task import judge as judge_marginals

STATEMENT = f"""
Solve a discrete entropic optimal transport problem to high accuracy.

`solve(C, a, b, eps, tol)` receives C float64 (n, n), costs between 0 and 1; a and b float64 (n,), positive marginals
that sum to 1; `eps` > 0, the regularisation; `tol` = 1e-9. The plan is P_ij = exp((x_i + y_j - C_ij) / eps), where x
and y are such that P has row sums a and column sums b. Return `(x, y)`, float64 (n,) each.

**Validity.** P is recomputed in double precision; sum_i |(P 1)_i - a_i| + sum_j |(P' 1)_j - b_j| must be at most `tol`.
{CALLED}"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    side, sharpness = (24, 1500.0) if size == "smoke" else (45, 2000.0)
    C, a, b = images(rng, side, power=2)
    return [Instance("images", {"C": C, "a": a, "b": b, "eps": 1 / sharpness, "tol": TOLERANCE})]


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    verdict = judge_marginals(instance, output, log)
    return Verdict(verdict.valid, {"error": verdict.metrics.get("marginal_error", 0.0)}, verdict.note)


task = Task(
    id="sinkhorn_newton_sparse_gpu",
    family="optimal_transport",
    title="Entropic optimal transport to high accuracy on a GPU",
    paper=Paper("Accelerating Sinkhorn Algorithm with Sparse Newton Iterations", 2024),
    entry=Entry("def solve(C: Tensor, a: Tensor, b: Tensor, eps: float, tol: float) -> tuple[Tensor, Tensor]"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("device_seconds", Direction.MINIMIZE, "log", measure=Measure.DEVICE_SECONDS, unit="s"),
    descriptors=(
        Descriptor("error", 1e-15, 1e-9, bins=8, scale="log"),
        Descriptor("code_size", 40, 800, bins=8, scale="log"),
    ),
    limits=GPU_LIMITS,
    suspicious_ratio=20.0,
    claim="Sparse Newton steps after a Sinkhorn warm start need far fewer passes over the costs than scaling does.",
)
