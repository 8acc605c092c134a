"""Schroedinger bridges learnt from samples (Korotin, Gushchin and Burnaev 2024, Light Schroedinger Bridge).

The bridge couples two distributions, of which samples are given, at quadratic cost with entropic regularisation; what
is asked for are its conditionals at new points. The paper's solver needs neither simulation nor a neural network.

Scaled down: the paper's synthetic benchmark with known conditionals, in 6 to 16 dimensions; cells and latent images are
left out.

Changed against the catalogue's sketch: the reference takes 900 steps instead of 1,500, so that a program needs a
fraction of a second on each problem; none has two or four dimensions, where drawing the samples again is about as good
(at D = 4 the paper's method had 0.6 to 0.9 times its error).
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
from ..workloads import bridge, bures_wasserstein

Array = np.ndarray[Any, Any]
FARTHEST = 1e3

STATEMENT = """
Learn a Schroedinger bridge from samples, and draw from its conditionals.

Of all joint distributions pi of (x, y) with marginals p0 and p1, the bridge has the least
E |x - y|^2 / 2 + `eps` KL(pi | p0 x p1).

`fit_sample(X0, X1, eps, X_test, n_per, seed)` receives independent samples `X0` of p0 and `X1` of p1 (not paired),
float64 (N, D) each, the regularisation `eps`, and new points `X_test` float64 (M, D) drawn from p0. It returns for each
of them `n_per` draws from the bridge's conditional pi(y | x): float64 (M, n_per, D), entries at most 1000 in size.

**Measured.** For every test point the mean and the covariance of the draws are compared with the exact ones by the
squared Bures-Wasserstein distance |m - m'|^2 + tr(S + S' - 2 (S^1/2 S' S^1/2)^1/2); the objective is its mean over the
points in per cent of half the total variance of p1, geometric mean over several problems; smaller is better.

N is 1,000, D is 6 to 16, `eps` 0.1 or 1, M 40 and `n_per` 200. Conditionals may have several modes. Only numpy and
scipy's linalg, special and optimize may be used; `seed` is for the program's own random choices.
"""


@dataclass(frozen=True)
class Truth:
    """Exact moments of the conditionals, means (M, D) and covariances (M, D, D), and the total variance of p1."""

    mean: Array
    covariance: Array
    variance: float


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    settings = {
        "smoke": [(10, 0.1)],
        "default": [(6, 0.1), (8, 1.0), (12, 0.1), (16, 0.1)],
        "gpu": [(64, 0.1), (128, 1.0)],
    }[size]
    samples, points, n_per = {"smoke": (500, 20, 60), "default": (1000, 40, 200), "gpu": (20_000, 200, 500)}[size]
    made = []
    for d, eps in settings:
        hidden = bridge(rng, d, eps)
        X0, paired, X_test = (rng.standard_normal((count, d)) for count in (samples, samples, points))
        inputs = {"X0": X0, "X1": hidden.sample(rng, paired), "eps": eps, "X_test": X_test, "n_per": n_per}
        many = hidden.sample(rng, rng.standard_normal((4000, d)))
        mean, covariance = hidden.moments(X_test)
        truth = Truth(mean, covariance, float(many.var(axis=0).sum()))
        made.append(Instance(f"D = {d}, eps = {eps:g}", {**inputs, "seed": int(rng.integers(2**31))}, truth))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    truth: Truth = instance.secret
    n_per, (points, d) = instance.inputs["n_per"], truth.mean.shape
    drawn = as_array(output, shape=(points, n_per, d), low=-FARTHEST, high=FARTHEST)
    mean = drawn.mean(axis=1)
    apart = drawn - mean[:, None]
    covariance = apart.transpose(0, 2, 1) @ apart / n_per
    distances = bures_wasserstein(truth.mean, truth.covariance, mean, covariance)
    shift = ((mean - truth.mean) ** 2).sum(axis=1)
    unit = 0.5 * truth.variance / 100
    return Verdict(
        valid=True,
        metrics={
            "distance": float(distances.mean()) / unit,
            "shift": max(float(shift.mean()) / unit, 1e-6),
            "spread_ratio": float((apart**2).sum(axis=(1, 2)).mean() / n_per)
            / float(np.trace(truth.covariance, axis1=1, axis2=2).mean()),
        },
    )


task = Task(
    id="light_sb",
    family="optimal_transport",
    title="Schroedinger bridges from samples",
    paper=Paper("Light Schrödinger Bridge", 2024),
    entry=Entry(
        "def fit_sample(X0: np.ndarray, X1: np.ndarray, eps: float, X_test: np.ndarray, n_per: int, seed: int)"
        " -> np.ndarray"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("distance", Direction.MINIMIZE, "log", floor=1e-2, unit="%"),
    descriptors=(
        Descriptor("spread_ratio", 0.0, 2.0, bins=8),
        Descriptor("cpu_seconds", 0.02, 2.0, bins=6, scale="log"),
        Descriptor("code_size", 100, 1000, bins=8, scale="log"),
    ),
    limits=TaskLimits(
        run=Limits(cpu_seconds=2.0, wall_seconds=30.0, memory_bytes=512 * MIB),
        imports=("numpy", "scipy.linalg", "scipy.special", "scipy.optimize"),
    ),
    suspicious_ratio=50.0,
    claim=(
        "A bridge fitted in minutes without simulation or neural networks, best in moderate dimension; measured is the "
        "error of its conditionals against Sinkhorn on the samples."
    ),
)
