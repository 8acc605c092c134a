"""Transport plans with few entries a column (Liu, Puigcerver and Blondel 2023, Sparsity-Constrained OT).

Tokens are shared out among experts, each to at most k of them, at low cost and with equal loads. The paper puts the
constraint into the dual, which stays tractable; the common way is to solve without it and to cut afterwards.

Scaled down: 24 experts and 320 tokens, the matching alone; no mixture of experts is trained.

Changed against the catalogue's sketch: a bound on the optimum comes from the dual with its variable kept within the
price of imbalance, so that it holds without clipping. Tokens also come crowded about few experts and in groups. Weights
optimised anew at the places of the cut plan are a known program.
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
    Objective,
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from ..workloads import tokens_and_experts

Array = np.ndarray[Any, Any]
SUM_TOLERANCE = 1e-9
PRICE = 1.0
"""Of a unit of imbalance; the largest cost is 1 too."""

STATEMENT = """
Share out tokens among experts: a transport plan with few entries in each column.

`solve(C, a, b, gamma, k)` receives costs `C` float64 (m, n) between 0 and 1 for m experts and n tokens, marginals `a`
(m,) and `b` (n,), positive and each summing to 1, a regularisation `gamma` > 0 and a small integer `k`. It returns a
plan T, float64 (m, n).

**Validity.** Entries of T are at least 0; every column j has at most `k` entries above 0, and they sum to b_j (within
1e-9).

**Measured.** F(T) = sum_ij T_ij C_ij + (`gamma`/2) sum_ij T_ij^2 + sum_i |(sum_j T_ij) - a_i|, as the relative excess
(F(T) - D) / D over a secret lower bound D of F; geometric mean over several problems, smaller is better. The bound is
close, but need not be reached. The last term is the imbalance of the experts' loads.

Problems have about 24 experts and 320 tokens, `k` 2 or 4, `gamma` 100 or 300. Only numpy and scipy.optimize may be
used.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    plan = {
        "smoke": [("crowded", 2, 100.0)],
        "default": [("even", 2, 100.0), ("crowded", 4, 300.0), ("grouped", 2, 300.0), ("crowded", 2, 100.0)],
        "gpu": [("crowded", 4, 300.0)],
    }[size]
    experts, tokens = {"smoke": (12, 100), "default": (24, 320), "gpu": (256, 16_384)}[size]
    made = []
    for kind, k, gamma in plan:
        C, a, b = tokens_and_experts(rng, kind, experts + int(rng.integers(-2, 3)), tokens + int(rng.integers(-20, 21)))
        inputs = {"C": C, "a": a, "b": b, "gamma": gamma, "k": k}
        made.append(Instance(f"{kind}, k = {k}", inputs, lower_bound(**inputs)))
    return made


def objective(T: Array, C: Array, a: Array, gamma: float) -> float:
    """F(T): cost, regularisation and imbalance."""
    return float((T * C).sum() + gamma / 2 * (T**2).sum() + PRICE * np.abs(T.sum(axis=1) - a).sum())


def lower_bound(C: Array, a: Array, b: Array, gamma: float, k: int) -> float:
    """The largest value found of the semi-dual, for |alpha| <= PRICE: by weak duality at most F of any valid plan."""
    from scipy.optimize import minimize

    def negative(alpha: Array) -> tuple[float, Array]:
        T = column_maximisers(alpha[:, None] - C, b, gamma, k)
        value = a @ alpha - ((alpha[:, None] - C) * T).sum() + gamma / 2 * (T**2).sum()
        return -float(value), T.sum(axis=1) - a

    bounds = [(-PRICE, PRICE)] * len(a)
    return -float(minimize(negative, np.zeros(len(a)), jac=True, method="L-BFGS-B", bounds=bounds).fun)


def column_maximisers(scores: Array, b: Array, gamma: float, k: int) -> Array:
    """argmax of scores_j . t - gamma/2 |t|^2 over t >= 0 with sum b_j and at most k entries above 0, in each column."""
    T = np.zeros_like(scores)
    largest = np.argsort(-scores, axis=0)[:k]
    kept = np.take_along_axis(scores, largest, 0) / gamma
    thresholds = (np.cumsum(kept, axis=0) - b) / np.arange(1, k + 1)[:, None]
    last = (kept > thresholds).sum(axis=0) - 1
    np.put_along_axis(T, largest, np.maximum(kept - thresholds[last, np.arange(len(b))], 0), axis=0)
    return T


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    C, a, b, gamma, k = (instance.inputs[name] for name in ("C", "a", "b", "gamma", "k"))
    T = as_array(output, shape=C.shape, low=0.0, high=1.0)
    most = int((T > 0).sum(axis=0).max())
    if not most <= k:
        return Verdict.invalid(f"a column has {most} entries above 0, at most {k} are allowed")
    error = float(np.abs(T.sum(axis=0) - b).max())
    if not error <= SUM_TOLERANCE:
        return Verdict.invalid(f"a column's sum differs from b by {error:.1e}, 1e-9 is allowed")
    excess = (objective(T, C, a, gamma) - instance.secret) / instance.secret
    return Verdict(
        valid=True,
        metrics={
            "excess": max(excess, 0.0),
            "imbalance": max(float(np.abs(T.sum(axis=1) - a).sum()), 1e-12),
            "entries": float((T > 0).sum(axis=0).mean()) / k,
        },
    )


task = Task(
    id="sparsity_constrained_ot",
    family="optimal_transport",
    title="Transport plans with few entries a column",
    paper=Paper("Sparsity-Constrained Optimal Transport", 2023),
    entry=Entry("def solve(C: np.ndarray, a: np.ndarray, b: np.ndarray, gamma: float, k: int) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("excess", Direction.MINIMIZE, "log", floor=1e-4),
    descriptors=(
        Descriptor("imbalance", 1e-4, 1.0, bins=8, scale="log"),
        Descriptor("entries", 0.25, 1.0, bins=6),
        Descriptor("code_size", 80, 800, bins=8, scale="log"),
    ),
    limits=TaskLimits(
        run=Limits(cpu_seconds=2.0, wall_seconds=20.0, memory_bytes=512 * MIB), imports=("numpy", "scipy.optimize")
    ),
    suspicious_ratio=100.0,
    claim=(
        "The cardinality constraint within a tractable dual gives balanced plans where cutting a dense plan breaks the "
        "balance; measured is the excess of the regularised cost, imbalance priced, over a dual bound."
    ),
)
