"""Optimisation from rankings alone (Tang, Rybin and Chang 2024, Zeroth-Order Optimization Meets Human Feedback).

Nobody tells a value: an oracle only says which k of m points are the best, in order, as people rank pictures. The paper
turns such an answer into a descent direction with a bound on its variance.

Scaled down: five synthetic landscapes in 24 to 100 dimensions take the place of human raters and diffusion images, and
noise in the ranking is a swap of neighbours.

Changed against the catalogue's sketch: the policy search is a linear-quadratic regulator with 24 gains and its exact
infinite-horizon cost, so that the optimum is known; the picture comes from a random decoder instead of digits, which
lie in the clear where scikit-learn is installed. Two landscapes are ranked with swaps, and unstable gains have no cost:
both lie outside the paper's setting. An evolution strategy with recombination, which also needs ranks only, is about
as good as the paper's method here; the claim holds against searches that keep the best point alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from .. import workloads
from ..workloads import Landscape

Array = np.ndarray[Any, Any]
ROWS = 15
LARGEST = 1e6
WORST_GAP = 1e3
SWAPPED = 0.1

STATEMENT = """
Minimise a hidden function of d real variables from **rankings only**.

`optimise(oracle, x0, m, k, Q)` gets a start `x0` float64 (d,) and may call `best = oracle.rank(X)` at most `Q` times:
`X` is an array (r, d) of 1 to `m` points with entries of at most 10^6 in size; the reply is int64 (min(k, r),), the row
numbers of the `k` best points, best first. No value is ever told. Return a point: an array (d,).

**Measured.** The relative gap (f(x) - f*) / (f(x0) - f*) at the point returned, where f* is the least value; geometric
mean over the functions (after adding 1e-5), smaller is better. A gap counts as at most 1000.

**The functions.** Smooth, of different kinds (a badly scaled quadratic, a curved valley, flat slopes around a narrow
bowl, a picture to be matched, a controller to be tuned), with minimisers at random; d is 24 or 100 at full size, and
steps of size 1 in every coordinate are about the distance to the minimiser. `m` is 15; `k` is 15, a full ranking, or 5;
`Q` is 100 or 400. For some functions neighbours in the ranking are swapped at random now and then. A point where the
function is infinite (the controller is unstable) ranks last.

**Rules.** A call with more than `m` rows or with values that are not finite is refused with an exception and uses up a
call; so does every call beyond `Q`, without an answer. Functions are drawn anew for every run.
"""


@dataclass(frozen=True)
class Judged:
    """``noise`` is the chance of a swap of two neighbours in a ranking, drawn from ``seed``."""

    landscape: Landscape
    noise: float
    seed: int


class Rater(Oracle):
    methods = ("rank",)

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["Q"])
        self._most, self._k = instance.inputs["m"], instance.inputs["k"]
        self._judged: Judged = instance.secret
        self._rng = np.random.default_rng(self._judged.seed)

    def rank(self, *args: Any) -> Array:
        if len(args) != 1:
            raise OracleRefused("rank takes one argument: the points")
        try:
            d = self._judged.landscape.start.size
            points = as_array(args[0], shape=(None, d), name="the array of points", low=-LARGEST, high=LARGEST)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        if not 1 <= len(points) <= self._most:
            raise OracleRefused(f"rank takes 1 to {self._most} points")
        order = np.argsort(self._judged.landscape.values(points), kind="stable")
        for place in np.flatnonzero(self._rng.random(len(order) - 1) < self._judged.noise):
            order[[place, place + 1]] = order[[place + 1, place]]
        return order[: self._k]


Kind = Callable[[np.random.Generator, int], Landscape]


def _regulator(rng: np.random.Generator, d: int) -> Landscape:
    """With 24 gains, or two in the smallest dimensions."""
    return workloads.regulator(rng, *((6, 4) if d > 10 else (2, 1)))


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    d, few, many = {"smoke": (10, 15, 30), "default": (100, 100, 400), "gpu": (400, 400, 1600)}[size]
    plan: list[tuple[str, Kind, int, int, float]] = [
        ("quadratic", workloads.quadratic, ROWS, few, 0.0),
        ("valley", workloads.rosenbrock, ROWS, many, 0.0),
        ("slopes", workloads.log_cosh, 5, many, 0.0),
        ("picture", workloads.image, 5, few, SWAPPED),
        ("controller", _regulator, ROWS, few, 0.0),
        ("noisy-quadratic", workloads.quadratic, ROWS, many, SWAPPED),
    ]
    made = []
    for name, kind, k, calls, noise in plan if size != "smoke" else plan[::3]:
        landscape = kind(rng, d)
        inputs = {"x0": landscape.start, "m": ROWS, "k": k, "Q": calls}
        made.append(Instance(name, inputs, Judged(landscape, noise, int(rng.integers(2**62)))))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    landscape: Landscape = instance.secret.landscape
    x = as_array(output, shape=landscape.start.shape, name="the point", low=-LARGEST, high=LARGEST)
    gap = landscape.gap(x)
    if not gap >= 0.0:
        return Verdict.invalid("the function has no value at the point")
    calls = log.calls if log else []
    rows = [np.asarray(call.args[0], dtype=np.float64) for call in calls]
    spreads = [float(np.std(points - points.mean(0))) for points in rows]
    return Verdict(
        valid=True,
        metrics={
            "gap": min(gap, WORST_GAP),
            "spread": float(np.median(spreads[len(spreads) // 2 :])) if spreads else 0.0,
            "rows": float(np.mean([len(points) for points in rows])) if rows else 0.0,
        },
    )


task = Task(
    id="zo_rank_sgd",
    family="zeroth_order",
    title="Minimising from rankings",
    paper=Paper(
        "Zeroth-Order Optimization Meets Human Feedback: Provable Learning via Ranking Oracles",
        2024,
    ),
    entry=Entry("def optimise(oracle: Oracle, x0: np.ndarray, m: int, k: int, Q: int) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("gap", Direction.MINIMIZE, "log", floor=1e-5),
    descriptors=(
        Descriptor("spread", 1e-3, 1.0, bins=8, scale="log"),
        Descriptor("rows", 1, ROWS, bins=5),
        Descriptor("code_size", 50, 600, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Rater,
    limits=TaskLimits(run=Limits(cpu_seconds=0.5, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Rankings alone give a descent direction with bounded variance, and beat searches that only keep the best "
        "point at equal numbers of questions; measured is the gap that is left."
    ),
)
