"""Amortised directions for the sliced Wasserstein distance (Nguyen, Nguyen and Ho 2023, Self-Attention Amortized DPO).

The von Mises-Fisher distributional sliced distance (v-DSW) averages over directions around a location, the best one for
a pair of clouds. Instead of an ascent for each pair, a model learns to tell the location from the clouds; the paper's
is self-attention at linear cost, symmetric in the points, where earlier work had weights for the points' places.

Scaled down: clouds of 16 points in five dimensions, some thousand training pairs; the shape autoencoder that the
distance serves is not trained, only its projections.

Changed against the catalogue's sketch: the style is staged. The distance is taken between fresh points of the same two
distributions, since along the points given an ascent for each pair, a few milliseconds at this size, is exact and
leaves nothing to amortise. On fresh points it still is ahead of the paper's model, and the leading eigenvector of the
difference of second moments is far ahead: both are known programs. Pairs differ along one hidden direction, which is
the best location for whole distributions and so the unit of the measurement. Every test pair comes a second time with
its points in another order.
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
from ..workloads import CLOUD_KINDS, cloud_pairs, sliced_distance, von_mises_fisher

Array = np.ndarray[Any, Any]
KAPPA = 20.0
DIRECTIONS = 16
SHORTEST = 1e-6

STATEMENT = """
Learn to tell the direction along which two point clouds differ most.

For clouds X, Y of m points in d dimensions and a direction theta, W2^2(theta) is the mean of (x_(r) - y_(r))^2 over
ranks r, where x_(r) and y_(r) are the sorted projections on theta. A *location* is a direction around which theta is
drawn, from the von Mises-Fisher distribution with concentration `kappa`; the distance of a pair is the mean of
W2^2(theta), and good locations make it large.

- `fit(train_X, train_Y, kappa, seed)` receives N pairs of clouds, float64 (N, m, d) each, and returns a model: plain
  data (arrays, numbers, lists, dicts).
- `predict(model, X, Y)` runs in a fresh process, receives other pairs, float64 (M, m, d) each, and returns a location
  for each pair: float64 (M, d), of any length above 1e-6.

Points of a cloud are in random order. Pairs of one problem are of one kind but differ along directions of their own.

**Measured.** The mean distance over the test pairs at the locations returned, divided by that at the best locations;
mean over several problems, larger is better, 1 is the most that can be expected. The distance is taken between **fresh
points** of the same two distributions, not between the m points shown. N is about 2,000, m 16, d 5 and `kappa` 20.
Only numpy may be used.
"""


@dataclass(frozen=True)
class Test:
    """Clouds shown (M, m, d), fresh ones (M, points, d), best locations (M, d), and a seed of directions.

    The second half of the pairs is the first one with the points shown in another order.
    """

    X: Array
    Y: Array
    fresh_X: Array
    fresh_Y: Array
    best: Array
    seed: int


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    train, pairs, m, d = {"smoke": (600, 60, 16, 4), "default": (2000, 120, 16, 5), "gpu": (50_000, 1000, 64, 16)}[size]
    made = []
    for kind in CLOUD_KINDS[:1] if size == "smoke" else CLOUD_KINDS:
        train_X, train_Y, _ = cloud_pairs(rng, kind, train, m, d)
        X, Y, best = (np.concatenate([half, half]) for half in cloud_pairs(rng, kind, pairs, m + 4 * m, d))
        shown_X, shown_Y = (_reordered(rng, cloud[:, :m]) for cloud in (X, Y))
        test = Test(shown_X, shown_Y, X[:, m:], Y[:, m:], best, int(rng.integers(2**31)))
        inputs = {"train_X": train_X, "train_Y": train_Y, "kappa": KAPPA, "seed": int(rng.integers(2**31))}
        made.append(Instance(kind, inputs, test))
    return made


def _reordered(rng: np.random.Generator, clouds: Array) -> Array:
    """The clouds with each one's points in an order of its own."""
    order = rng.random(clouds.shape[:2]).argsort(axis=1)
    return np.take_along_axis(clouds, order[:, :, None], axis=1)


def drive(instance: Instance, session: Any) -> Any:
    model = session.call("fit", instance.inputs)
    return session.call("predict", {"model": model, "X": instance.secret.X, "Y": instance.secret.Y})


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    test: Test = instance.secret
    location = as_array(output, shape=test.best.shape, low=-1e9, high=1e9)
    length = np.linalg.norm(location, axis=1, keepdims=True)
    if not length.min() > SHORTEST:
        return Verdict.invalid("a location is zero, or shorter than 1e-6")
    location = location / length
    first, second = np.split(location, 2)
    cosine = np.abs((first * second).sum(axis=1)).clip(0, 1)
    return Verdict(
        valid=True,
        metrics={
            "share": _distance(test, location) / _distance(test, test.best),
            "order_angle": float(np.degrees(np.arccos(cosine)).mean()),
        },
    )


def _distance(test: Test, location: Array) -> float:
    """The mean over the pairs of v-DSW squared between the fresh points."""
    directions = von_mises_fisher(np.random.default_rng(test.seed), location, KAPPA, DIRECTIONS)
    return float(sliced_distance(test.fresh_X, test.fresh_Y, directions).mean())


task = Task(
    id="sa_vdsw",
    family="optimal_transport",
    title="Directions between point clouds, amortised",
    paper=Paper(
        "Self-Attention Amortized Distributional Projection Optimization for Sliced Wasserstein Point-Cloud "
        "Reconstruction",
        2023,
    ),
    entry=Entry(
        "def fit(train_X: np.ndarray, train_Y: np.ndarray, kappa: float, seed: int) -> dict\n"
        "def predict(model: dict, X: np.ndarray, Y: np.ndarray) -> np.ndarray"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("share", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("order_angle", 0.0, 90.0, bins=6),
        Descriptor("cpu_seconds", 0.01, 1.0, bins=6, scale="log"),
        Descriptor("code_size", 150, 1200, bins=8, scale="log"),
    ),
    style="staged",
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    drive=drive,
    claim=(
        "Self-attention tells better locations than linear amortisation, which depends on the order of the points; "
        "measured is the v-DSW reached on fresh points of unseen pairs."
    ),
)
