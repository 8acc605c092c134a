"""Minimisation over a set from noisy gradients (Chen, Liu, Liang and Liu 2024, Lion Secretly Solves Constrained
Optimization: As Lyapunov Predicts).

The paper shows that Lion with decoupled weight decay is no regularised descent: it enters the box of side 1 / decay at
an exponential rate, stays, and minimises there; other convex functions in place of the sign give other sets.

Scaled down: the theorem's statement alone, on functions of 60 variables; no networks and no language models.

What reproduces: Lion leaves about a tenth of AdamW's gap at every rate that was tried. What it is worth: Adam whose
steps are followed by a projection, a known program here, leaves a fifth of Lion's, so scores above 1 are open from the
start.

Changed against the catalogue's sketch: 1,000 gradients instead of 2,000 and 60 variables instead of 100, since nothing
changes with more; scales over one and a half decades, the same within a group, so that the minimum over the set is
computed to rounding; rates of Lion and AdamW are the best of a grid.
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
from ..constrained import Lengths, bowl
from ..stochastic import LARGEST, NoisyGradients, Sampled, Stochastic

SLACK = 1e-6

STATEMENT = """
Minimise convex functions **over a set** from noisy gradients with heavy tails.

The coordinates are in groups, and every group of x may be at most `radius` long: max over g of |x_g| <= `radius`
(Euclidean; with groups of one coordinate each, a box).

`minimise(oracle, x0, N, groups, radius)` may call `g = oracle.grad(x)` at most `N` times (1000 at full size): x float64
(d,), inside the set or not, g an unbiased noisy gradient there, float64 (d,). `groups` (d,) holds each coordinate's
label 0, 1, ...; `x0` is 0. Return a point (d,) of the set.

**Measured.** The relative gap (f(x) - f*) / (f(x0) - f*) at the point returned, f* the minimum over the set; without
noise, geometric mean over the problems (after adding 1e-6), smaller is better. Where a group is longer than `radius` by
more than a part in 10^6 the program is invalid.

**The functions.** Quadratics, and sums of log cosh along rotated axes. Coordinates have scales over one and a half
decades, noise in them has the same scales and a variance that is barely finite (Student's t, 2.2 degrees of freedom).
In most problems the unconstrained minimiser is outside in many groups, in one it is inside. d = 60 at full size.

**Rules.** Entries of points are at most 10^6 in size. A call with an array of another shape or not finite is refused
with an exception and uses up a call; so does every call beyond `N`, without an answer.
"""


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    d, steps = {"smoke": (20, 400), "default": (60, 1000), "gpu": (400, 5000)}[size]
    plan = [
        ("box-quadratic", 1, 2.0, False),
        ("groups-quadratic", 5, 1.5, False),
        ("box-log-cosh", 1, 2.0, True),
        ("groups-log-cosh", 5, 1.5, True),
        ("box-wide", 1, 3.0, False),
        ("box-slack", 1, 0.9, False),
    ]
    made = []
    for name, width, reach, bent in plan[:2] if size == "smoke" else plan:
        inside = Lengths(np.arange(d) // width, float(10 ** rng.uniform(-0.5, 0.5)))
        function = bowl(rng, inside, reach, bent)
        inputs = {"x0": function.start, "N": steps, "groups": inside.groups, "radius": inside.radius}
        made.append(Instance(name, inputs, Sampled(function, int(rng.integers(2**62)))))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    function: Stochastic = instance.secret.function
    inside = Lengths(instance.inputs["groups"], instance.inputs["radius"])
    x = as_array(output, shape=function.start.shape, name="the point", low=-LARGEST, high=LARGEST)
    if not inside.longest(x) <= inside.radius * (1 + SLACK):
        return Verdict.invalid("a group is longer than the radius")
    x = inside.projected(x)
    calls = log.calls if log else []
    outside = sum(inside.longest(call.args[0]) > inside.radius * (1 + SLACK) for call in calls)
    return Verdict(
        valid=True,
        metrics={
            "gap": function.gap(x),
            "at_bound": inside.share_at_bound(x),
            "outside": outside / max(len(calls), 1),
        },
    )


task = Task(
    id="lion_k_constrained",
    family="optimizers",
    title="Noisy descent inside a set",
    paper=Paper("Lion Secretly Solves Constrained Optimization: As Lyapunov Predicts", 2024),
    entry=Entry(
        "def minimise(oracle: Oracle, x0: np.ndarray, N: int, groups: np.ndarray, radius: float) -> np.ndarray",
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("gap", Direction.MINIMIZE, "log", floor=1e-6),
    descriptors=(
        Descriptor("at_bound", 0.0, 1.0, bins=8),
        Descriptor("outside", 0.0, 1.0, bins=4),
        Descriptor("code_size", 40, 500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=NoisyGradients,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    suspicious_ratio=100.0,
    claim=(
        "Lion with decoupled weight decay minimises over the box that the decay defines, and its kin over other sets, "
        "where AdamW with the same decay does not; measured is the gap over the set."
    ),
)
