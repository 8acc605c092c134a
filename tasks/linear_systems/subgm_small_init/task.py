"""Robust recovery of a low-rank matrix whose rank is only bounded (Ma and Fattahi 2023, SubGM with small start).

The paper shows that the sub-gradient method on the l1 loss of U U' converges to the truth whatever the number of
columns of U and whatever part of the measurements is spoiled, if it starts near zero and its steps fall geometrically.

Scaled down: 24 x 24 matrices of rank 1 to 3, 280 measurements, 400 iterations.

Changed against the catalogue's sketch: 280 measurements instead of 600 to 1000, which is fewer than the 300 unknowns of
a symmetric matrix. With more measurements than unknowns robust regression without any rank recovers the truth exactly,
and the question of the paper does not arise. Dense Gaussian noise is left out (all methods end at the noise). With the
bound equal to the rank the two starts tie, as the paper says; one such instance guards against a start so small that
nothing grows. The standard start with at most four columns is the known program: it uses that ranks are small.
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
from ..workloads import low_rank_psd, symmetric_gaussian

Array = np.ndarray[Any, Any]
RANKS = (1, 2, 3)
LARGEST_ENTRY = 1e6
OUTLIER = 10.0
CAUCHY = 0.05

STATEMENT = """
Recover a low-rank matrix from few measurements, some of them grossly wrong, knowing only a bound on its rank.

`recover(A, y, rank_bound, seed)` receives

- `A` float64 (m, d, d): symmetric measurement matrices (the symmetric part of standard normal entries);
- `y` float64 (m,): y_i = <A_i, X> + error_i for a hidden positive semidefinite X (d, d) of small rank;
- `rank_bound`: a bound on the rank of X, often far above it (up to d);
- `seed`: an integer for the program's own random choices.

Return an estimate of X, float64 (d, d). m is smaller than d (d + 1) / 2, the number of unknowns of a symmetric matrix.

**Errors.** In most instances 10 to 20 % of the y are spoiled by large Gaussian outliers and the rest is exact; in one
all errors are Cauchy distributed (mostly small, some huge). Size and eigenvectors of X are drawn anew for every run.

**Measured.** The relative error |estimate - X|_F / |X|_F, geometric mean over the instances (after adding 1e-6);
smaller is better. A program may use four times the CPU time that 400 plain sub-gradient iterations take.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    d, m = {"smoke": (12, 100), "default": (24, 280), "gpu": (96, 2400)}[size]
    kinds = (
        ("few outliers", 0.1, d),
        ("more outliers", 0.2, d),
        ("cauchy", None, d),
        ("few outliers, closer bound", 0.1, d // 2),
        ("few outliers, known rank", 0.1, None),
    )
    return [_instance(rng, *kind, d=d, m=m) for kind in (kinds[:1] if size == "smoke" else kinds)]


def _instance(
    rng: np.random.Generator, name: str, spoiled: float | None, bound: int | None, d: int, m: int
) -> Instance:
    rank = int(rng.choice(RANKS))
    X, A = low_rank_psd(rng, d, rank), symmetric_gaussian(rng, m, d)
    errors = CAUCHY * rng.standard_cauchy(m) if spoiled is None else OUTLIER * rng.normal(size=m)
    if spoiled is not None:
        errors *= rng.random(m) < spoiled
    y = np.tensordot(A, X, axes=2) + errors
    return Instance(name, {"A": A, "y": y, "rank_bound": bound or rank, "seed": int(rng.integers(2**31))}, secret=X)


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    X: Array = instance.secret
    estimate = as_array(output, shape=X.shape, name="the estimate", low=-LARGEST_ENTRY, high=LARGEST_ENTRY)
    values = np.linalg.svd(estimate, compute_uv=False)
    return Verdict(
        valid=True,
        metrics={
            "error": float(np.linalg.norm(estimate - X) / np.linalg.norm(X)),
            "rank": float((values > 1e-2 * values[0]).sum()),
        },
    )


task = Task(
    id="subgm_small_init",
    family="linear_systems",
    title="Low-rank recovery from spoiled measurements",
    paper=Paper(
        "Global Convergence of Sub-gradient Method for Robust Matrix Recovery: Small Initialization, Noisy "
        "Measurements, and Over-parameterization",
        2023,
    ),
    entry=Entry("def recover(A: np.ndarray, y: np.ndarray, rank_bound: int, seed: int) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("error", Direction.MINIMIZE, "log", floor=1e-6),
    descriptors=(
        Descriptor("rank", 0.0, 25.0, bins=8),
        Descriptor("code_size", 60, 600, bins=8, scale="log"),
        Descriptor("cpu_seconds", 0.02, 2.0, bins=6, scale="log"),
    ),
    limits=TaskLimits(
        run=Limits(cpu_seconds=2.0, wall_seconds=20.0, memory_bytes=512 * MIB),
        cpu_times_baseline=4.0,
        imports=("numpy",),
    ),
    claim=(
        "From a small start the sub-gradient method converges linearly to the truth whatever the bound on the rank and "
        "the outliers; measured here is its error against a start of order one after equally many iterations."
    ),
)
