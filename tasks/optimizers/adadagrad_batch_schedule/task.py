"""How many samples each gradient should have (Lau, Liu and Kolar 2024, AdAdaGrad).

AdAdaGrad lets AdaGrad's batch grow whenever the variance of the sampled gradients exceeds what their mean's size
allows: small batches early, large ones late, without tuning a schedule.

Scaled down: regressions in 20 variables on streamed samples; no images, and nothing of the paper's argument about
generalisation.

What reproduces: at equal cost, a fee per step and one per sample, AdAdaGrad leaves a fifth to a tenth of the excess
of AdaGrad with the best fixed batch and rate. Averaging the points of the second
half, with a fixed batch, does better still and is known here. On finite sums (a logistic regression on 4,000 samples)
a tuned fixed batch won, hence the streams.

Changed against the catalogue's sketch: budgets of 2e5 and 5e5 instead of 2e5 and 1e6; a first batch of 32
instead of 8, since the test is noisy on eight samples and let some batches jump too early; the labels of the logistic
regression follow its model, so that the truth is the minimiser in all kinds and the excess has a closed form.
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
    Oracle,
    OracleRefused,
    Paper,
    Rejected,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from .. import streams
from ..streams import Stream

Array = np.ndarray[Any, Any]
LARGEST = 1e3
LARGEST_BATCH = 20_000
WORST_EXCESS = 1e3

STATEMENT = """
Fit a model to a stream of samples at a given cost: a fee per step, and one per sample.

`train(oracle, x0, budget, overhead, bmax)` starts at `x0`, zeros (d,), and may call

`g, variance = oracle.sample(x, b)`: the mean gradient float64 (d,) at x (d,) of b fresh samples, and the sample
variance (d,) of the b gradients, entry by entry (zeros where b is 1). b is an integer, 1 <= b <= `bmax` (20,000).

Each call costs `overhead` + b, at most `budget` in all: 200,000 with an overhead of 50, or 500,000 with one of 200, at
full size. Return a point (d,).

**Measured.** The excess E[(prediction at x - prediction of the best model)^2] over that of x = 0, at most 1000;
geometric mean over the streams (after adding 1e-7), smaller is better.

**The streams.** Linear predictions with a robust loss, with one that is not convex and with a logistic loss, each at
both fees. Features have standard deviations over one decade; d is 20 at full size.

**Rules.** Entries of points are at most 1000 in size. A call with other arguments is refused with an exception and
costs `overhead` + 1; a call that the rest of the budget does not cover is refused.
"""


@dataclass(frozen=True)
class Source:
    stream: Stream
    seed: int


class Samples(Oracle):
    methods = ("sample",)

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["budget"])
        self._overhead = float(instance.inputs["overhead"])
        source: Source = instance.secret
        self._stream = source.stream
        self._rng = np.random.default_rng(source.seed)

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        try:
            return self._overhead + self._batch(args)
        except Rejected:
            return self._overhead + 1

    def sample(self, *args: Any) -> tuple[Array, Array]:
        try:
            batch = self._batch(args)
            x = as_array(args[0], shape=self._stream.truth.shape, name="the point", low=-LARGEST, high=LARGEST)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        return self._stream.sample(self._rng, x, batch)

    @staticmethod
    def _batch(args: tuple[Any, ...]) -> int:
        if len(args) != 2:
            raise Rejected("sample takes a point and a number of samples")
        return int(as_array(args[1], shape=(), name="the number", integer=True, low=1, high=LARGEST_BATCH))


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    d, plans = {
        "smoke": (5, [(2e4, 50)]),
        "default": (20, [(2e5, 50), (5e5, 200)]),
        "gpu": (100, [(2e6, 200), (2e7, 2000)]),
    }[size]
    made = []
    for kind in ("huber", "logistic") if size == "smoke" else streams.LOSSES:
        for budget, overhead in plans:
            source = Source(streams.stream(rng, kind, d), int(rng.integers(2**62)))
            inputs = {"x0": np.zeros(d), "budget": int(budget), "overhead": overhead, "bmax": LARGEST_BATCH}
            made.append(Instance(f"{kind}-{overhead}", inputs, source))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    stream: Stream = instance.secret.stream
    x = as_array(output, shape=stream.truth.shape, name="the point", low=-LARGEST, high=LARGEST)
    batches = [call.cost - instance.inputs["overhead"] for call in log.calls] if log else []
    return Verdict(
        valid=True,
        metrics={
            "excess": min(stream.excess(x), WORST_EXCESS),
            "steps": float(max(len(batches), 1)),
            "growth": max(batches[-1] / batches[0], 1.0) if batches else 1.0,
        },
    )


task = Task(
    id="adadagrad_batch_schedule",
    family="optimizers",
    title="How many samples a gradient needs",
    paper=Paper("AdAdaGrad: Adaptive Batch Size Schemes for Adaptive Gradient Methods", 2024),
    entry=Entry(
        "def train(oracle: Oracle, x0: np.ndarray, budget: int, overhead: int, bmax: int) -> np.ndarray",
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("excess", Direction.MINIMIZE, "log", floor=1e-7),
    descriptors=(
        Descriptor("steps", 10.0, 5000.0, bins=8, scale="log"),
        Descriptor("growth", 1.0, 10_000.0, bins=8, scale="log"),
        Descriptor("code_size", 40, 400, bins=6, scale="log"),
    ),
    style="oracle",
    oracle=Samples,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=60.0, memory_bytes=512 * MIB), imports=("numpy",)),
    suspicious_ratio=100.0,
    claim=(
        "Batches that grow by the norm test make adaptive gradient methods faster than any fixed batch; measured is "
        "the excess at equal cost of steps and samples."
    ),
)
