"""Doubly stochastic attention that keeps what it is given (Born et al. 2025, Quantum Doubly Stochastic Transformers).

Sinkhorn's iteration makes attention doubly stochastic, but different logits come out much alike. The paper's quantum
circuit yields more diverse matrices; as one of eight rows it can be simulated exactly.

Scaled down: no quantum hardware and no training. What the paper shows of accuracy did not reproduce at this size (a
transformer of one layer on small digits, four seeds: softmax 0.87, Sinkhorn 0.79, circuit 0.80), so that it is not
measured; what did is that the operator preserves information.

Changed against the catalogue's sketch: matrices come in two batches to two processes, in random order: what depends on
the rest of the batch, or memorises it, gives the same matrix two results. Bounds on changes are tried at three sizes
and along straight paths between matrices, since an operator that rounds its input changes seldom, but then by much.
Sinkhorn's iteration at a fifth of the temperature, a known program, preserves as much as the circuit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from ..workloads import logit_matrices

Array = np.ndarray[Any, Any]
NOISE = (0.2, 0.3)
KINDS = ("grid", "normal", "products")
SUM_TOLERANCE = 1e-6
SAME = 1e-8
STEEPEST = 3.0
SIZES = (1e-3, 0.03, 0.3)
PATH = 40

STATEMENT = """
Turn attention logits into doubly stochastic matrices from which the logits can still be told.

`normalise(A)` receives float64 (B, 8, 8), B matrices of logits, and returns float64 (B, 8, 8): for each one a matrix D
with entries at least 0 and rows and columns that sum to 1 (each within 1e-6).

**Validity.** Each matrix is treated by itself: the same logits in another batch, in another process, give the same D
within 1e-8. And D changes moderately: |D(A) - D(A')| <= 3 |A - A'| (Frobenius norms) for hidden pairs of matrices, at
distances from 1e-3 to 0.3 in random directions, and at small steps along straight paths from one matrix to another.

**Measured.** Of some hundred matrices every D is observed with normal noise of deviation 0.2, then 0.3, in each entry,
and is taken for the one whose D is nearest. The objective is the share that is told right, mean over noise levels and
kinds of logits; larger is better. Kinds are entries 0, 1/2 or 1; normal entries of deviation 0.6; products of random
queries and keys. Only numpy may be used.
"""


@dataclass(frozen=True)
class Trials:
    """``first`` and ``second`` (count, 8, 8) are the two batches; ``pairs`` (count, 2) places in them, joined.

    The matrices to tell apart are those of the first batch. ``same`` (count, 2) are pairs of equal logits.
    """

    first: Array
    second: Array
    pairs: Array
    same: Array
    seed: int


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    count = {"smoke": 80, "default": 300, "gpu": 2000}[size]
    kinds = KINDS[:1] if size == "smoke" else KINDS
    return [Instance(kind, {}, trials(rng, logit_matrices(rng, kind, count))) for kind in kinds]


def trials(rng: np.random.Generator, first: Array) -> Trials:
    count = len(first)
    near = min(count, 60)
    directions = rng.standard_normal((len(SIZES), near, 8, 8))
    directions /= np.linalg.norm(directions, axis=(2, 3), keepdims=True)
    moved = (first[:near] + np.array(SIZES)[:, None, None, None] * directions).reshape(-1, 8, 8)
    ends = first[rng.permutation(count)[:16]].reshape(8, 2, 8, 8)
    share = np.linspace(0, 1, PATH)[:, None, None, None]
    paths = ((1 - share) * ends[:, 0] + share * ends[:, 1]).transpose(1, 0, 2, 3).reshape(-1, 8, 8)
    again = rng.permutation(count)[:near]
    joined = np.concatenate([first[again], moved, paths])
    order = rng.permutation(len(joined))
    place = count + np.argsort(order)
    from_base = np.stack([np.tile(np.arange(near), len(SIZES)), place[near : near + len(moved)]], axis=1)
    steps = place[near + len(moved) :].reshape(8, PATH)
    along = np.stack([steps[:, :-1].ravel(), steps[:, 1:].ravel()], axis=1)
    same = np.stack([again, place[:near]], axis=1)
    return Trials(first, joined[order], np.concatenate([from_base, along]), same, int(rng.integers(2**31)))


def drive(instance: Instance, session: Any) -> tuple[Any, Any]:
    return tuple(session.call("normalise", {"A": batch}) for batch in (instance.secret.first, instance.secret.second))


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    tried: Trials = instance.secret
    both = [
        as_array(found, shape=batch.shape, low=0.0, high=1.0 + SUM_TOLERANCE)
        for found, batch in zip(output, (tried.first, tried.second), strict=True)
    ]
    D, A = np.concatenate(both), np.concatenate([tried.first, tried.second])
    off = max(float(np.abs(D.sum(axis) - 1).max()) for axis in (1, 2))
    if not off <= SUM_TOLERANCE:
        return Verdict.invalid(f"a row or column sums to 1 only within {off:.1e}, 1e-6 is allowed")
    if not np.abs(D[tried.same[:, 0]] - D[tried.same[:, 1]]).max() <= SAME:
        return Verdict.invalid("the same logits in another batch give another matrix")
    steep = float((_distance(D, tried.pairs) / _distance(A, tried.pairs)).max())
    if not steep <= STEEPEST:
        return Verdict.invalid(f"a matrix changes {steep:.1f} times as much as its logits, 3 times is allowed")
    entropy = -(D * np.log(np.maximum(D, 1e-300))).sum(axis=2).mean() / np.log(8)
    told = np.mean([_told(both[0], noise, tried.seed) for noise in NOISE])
    return Verdict(valid=True, metrics={"told": float(told), "entropy": float(entropy), "steepness": steep})


def _distance(matrices: Array, pairs: Array) -> Array:
    return np.linalg.norm(matrices[pairs[:, 0]] - matrices[pairs[:, 1]], axis=(1, 2))


def _told(D: Array, noise: float, seed: int) -> float:
    """Share of the matrices that are nearest to themselves once noise is added."""
    code = D.reshape(len(D), 64)
    seen = code + noise * np.random.default_rng(seed).standard_normal(code.shape)
    nearest = ((code**2).sum(axis=1) - 2 * seen @ code.T).argmin(axis=1)
    return float((nearest == np.arange(len(code))).mean())


task = Task(
    id="quantum_dsm_attention",
    family="attention_kernels",
    title="Doubly stochastic attention",
    paper=Paper("Quantum Doubly Stochastic Transformers", 2025),
    entry=Entry("def normalise(A: np.ndarray) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("told", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("entropy", 0.2, 1.0, bins=8),
        Descriptor("steepness", 0.0, 3.0, bins=6),
        Descriptor("code_size", 40, 400, bins=8, scale="log"),
    ),
    style="rounds",
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=20.0, memory_bytes=512 * MIB), imports=("numpy",)),
    drive=drive,
    claim=(
        "The circuit gives more diverse doubly stochastic matrices that preserve information better than Sinkhorn's; "
        "measured is how often a matrix is told from others under noise."
    ),
)
