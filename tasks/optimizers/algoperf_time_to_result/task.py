"""One training rule for many workloads, timed to a result (Dahl et al. 2023, Benchmarking Neural Network Training
Algorithms).

The paper trains by a rule without knowledge of the workload until a validation target is met, and scores by performance
profiles: the share of workloads on which a rule needs at most tau times the best time, averaged over tau. For a single
workload that is (4 - r) / 3 with r the time over the best, for tau from 1 to 4, so that the mean over workloads is the
benchmark's score.

Scaled down: six kinds of small problems, three of them nets, of some hundred to some thousand parameters, and steps
instead of seconds on fixed hardware.

Changed against the catalogue's sketch: no convolutions, recurrent nets or attention; the held-out variants of the
workloads are fresh draws of sizes and data, which every evaluation and the certificate have, instead of a rule that
voids hits; the target is what Adam reaches at the best of three rates with a cosine decay in half the hint, and half of
its time counts as the best, so that there is room above the reference; tensors' shapes are not told.

What reproduces: NAdamW meets nearly all targets and momentum at a constant rate few, since no rate serves all. Adam at
a constant rate, a known program here, is nearly as good as NAdamW with its schedule.
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
    OracleRefused,
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from .. import training_runs
from ..stochastic import LARGEST, NoisyGradients, Sampled, Stochastic

ASKS = 20
TUNED, BEST = 0.5, 0.25
"""Steps of the run that sets the target, and the time that counts as best: shares of the hint."""
WORST_RATIO = 4.0

STATEMENT = """
Write **one** training rule, without settings for single workloads, that meets hidden targets in few steps.

`train(oracle, x0, step_hint)` starts at the parameters `x0` float64 (d,) of a workload that it does not know:

- `oracle.grad(x)`: a minibatch gradient of the training loss at x (d,); one step, at most `step_hint`;
- `oracle.reached(x)`: True if the loss at x, without noise, meets the workload's target; free, at most 20 times.

Return the last parameters (d,). What counts are the steps taken when `reached` was first True.

**Measured.** With r = steps / (`step_hint` / 4), each workload gives (4 - r) / 3, at most 1, and 0 if the target is
never met; mean over the workloads, larger is better. The target is what an optimizer tuned for the workload reached in
`step_hint` / 2 steps.

**The workloads.** Language models and classifiers of glyphs (small nets), regressions by linear models and perceptrons
under losses of several kinds, ill-scaled logistic regressions, and a factorisation of incomplete ratings. Sizes, scales
and data are drawn anew for every run; `step_hint` is 160 at full size.

**Rules.** Entries of points are at most 10^6 in size. A call with other arguments is refused with an exception and
uses up a step (an ask); so does every further one, without an answer.
"""


@dataclass(frozen=True)
class Timed(Sampled):
    """``target`` is a value of the function."""

    target: float


@dataclass(slots=True)
class TimedLog(CallLog):
    """Also how often was asked, and the steps taken when the target was first met."""

    asks: int = 0
    met: int | None = None


class Training(NoisyGradients):
    methods = ("grad", "reached")

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance, budget=instance.inputs["step_hint"])
        self.log: TimedLog = TimedLog()
        self._target: float = instance.secret.target

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        return 1.0 if method == "grad" else 0.0

    def reached(self, *args: Any) -> bool:
        self.log.asks += 1
        if self.log.asks > ASKS:
            raise OracleRefused(f"reached answers {ASKS} times")
        met = self._function.value(self._point(args)) <= self._target
        if met and self.log.met is None:
            self.log.met = int(self.log.spent)
        return bool(met)


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    hint, copies = {"smoke": (160, 1), "default": (160, 1), "gpu": (2000, 4)}[size]
    made = []
    for name, kind in list(training_runs.KINDS.items())[: 2 if size == "smoke" else None]:
        for number in range(copies):
            function = kind(rng)
            target = training_runs.target(function, rng, int(TUNED * hint))
            inputs = {"x0": function.start, "step_hint": hint}
            made.append(Instance(f"{name}-{number}", inputs, Timed(function, int(rng.integers(2**62)), target)))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    function: Stochastic = instance.secret.function
    as_array(output, shape=function.start.shape, name="the point", low=-LARGEST, high=LARGEST)
    met = log.met if isinstance(log, TimedLog) else None
    ratio = WORST_RATIO if met is None else met / (BEST * instance.inputs["step_hint"])
    points = np.array([call.args[0] for call in log.calls if call.method == "grad"]) if log else np.zeros((0, 1))
    moves = np.sqrt(np.mean(np.diff(points, axis=0) ** 2, axis=1)) if len(points) > 1 else np.zeros(1)
    return Verdict(
        valid=True,
        metrics={
            "profile": float(np.clip((WORST_RATIO - ratio) / (WORST_RATIO - 1), 0, 1)),
            "met": float(met is not None),
            "stride": float(np.median(moves)),
        },
    )


task = Task(
    id="algoperf_time_to_result",
    family="optimizers",
    title="Steps to a target, one rule for all",
    paper=Paper("Benchmarking Neural Network Training Algorithms", 2023),
    entry=Entry("def train(oracle: Oracle, x0: np.ndarray, step_hint: int) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("profile", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("met", 0.0, 1.0, bins=6),
        Descriptor("stride", 1e-4, 1.0, bins=8, scale="log"),
        Descriptor("code_size", 40, 500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Training,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Time to a target over many workloads tells training rules apart, and NAdamW leads the baselines; measured is "
        "the integrated performance profile in steps."
    ),
)
