"""Momentum that is safe on every smooth convex function (Parimi et al. 2025, On the Dynamics of Acceleration in First
order Gradient Methods).

The heavy ball is fastest on quadratics and runs into a cycle on a smooth, strongly convex function. The paper explains
by a slow manifold and feedback why evaluating the gradient at an extrapolated point, as Nesterov does, prevents that.

Scaled down: a theory paper; the task keeps its algorithmic question, which dynamics is both fast and safe.

Changed against the catalogue's sketch: the package averages over instances, so that the worst function cannot be the
objective; instead each of five functions sums many one-dimensional parts along hidden axes, one of which makes the
heavy ball cycle, and so shows the worst part of a method itself. Softplus regressions are left out: near their
minimiser they are quadratics, on which the heavy ball is the better method, as it is on the three quadratics that stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from ..workloads import Convex

Array = np.ndarray[Any, Any]
LARGEST = 1e9
WORST_ERROR = 1e3
JUMPING_STEPS = 45

STATEMENT = """
Minimise a smooth convex function from exact gradients, by a method that works on **every** such function.

`minimise(oracle, x0, L, mu, N)` may call `g = oracle.grad(x)` at most `N` times: `x` and the reply are arrays (d,). The
gradient changes by at most `L` times the distance between two points; the function is `mu`-strongly convex (`mu` may be
0). Return a point (d,).

**Measured.** The distance |x - x*| / |x0 - x*| from the minimiser at the point returned, or, where `mu` is 0,
(f(x) - f*) / (`L` |x0 - x*|^2); at most 1000. Geometric mean over the functions (after adding 1e-6), smaller is better.

**The functions.** Of several kinds, in random units and rotations: functions whose curvature changes or jumps between
`mu` and `L` along every axis (half of them; `L` / `mu` is 25 and `N` is 45), quadratics with different spectra (`L` /
`mu` is 1000, `N` is 150) and smooth maxima (`mu` is 0, `N` is 150); d is 10 to 100 at full size.

**Rules.** A call with an array of another shape, not finite or with entries above 10^9 in size is refused with an
exception and uses up a call; so does every call beyond `N`, without an answer.
"""


class Gradients(Oracle):
    methods = ("grad",)

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["N"])
        self._function: Convex = instance.secret

    def grad(self, *args: Any) -> Array:
        if len(args) != 1:
            raise OracleRefused("grad takes one argument: the point")
        try:
            x = as_array(args[0], shape=self._function.start.shape, name="the point", low=-LARGEST, high=LARGEST)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        return self._function.gradient(x)


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    d, steps, condition, copies = {
        "smoke": (50, 60, 100.0, 2),
        "default": (100, 150, 1e3, 5),
        "gpu": (400, 400, 1e4, 20),
    }[size]
    plan: list[tuple[str, int, Callable[[], Convex]]] = [
        (f"jumping-{number}", JUMPING_STEPS, lambda: workloads.jumping(rng, max(d // 10, 2)))
        for number in range(copies)
    ]
    plan += [
        ("smooth-maximum-1", steps, lambda: workloads.smooth_maximum(rng, d // 4)),
        ("smooth-maximum-2", steps, lambda: workloads.smooth_maximum(rng, d // 2)),
        ("quadratic-even", steps, lambda: workloads.quadratic(rng, d, condition, clustered=False)),
        ("quadratic-clustered", steps, lambda: workloads.quadratic(rng, d, condition, clustered=True)),
        ("tridiagonal", steps, lambda: workloads.tridiagonal(rng, d, condition)),
    ]
    made = []
    for name, calls, build in plan[:2] if size == "smoke" else plan:
        function = build()
        inputs = {"x0": function.start, "L": function.smoothness, "mu": function.convexity, "N": calls}
        made.append(Instance(name, inputs, function))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    function: Convex = instance.secret
    x = as_array(output, shape=function.start.shape, name="the point", low=-LARGEST, high=LARGEST)
    error = function.error(x)
    if np.isnan(error):
        return Verdict.invalid("the function has no value at the point")
    sizes = np.array([np.linalg.norm(call.reply) for call in log.calls] if log else [])
    return Verdict(
        valid=True,
        metrics={
            "error": min(max(error, 0.0), WORST_ERROR),
            "rises": float(np.mean(np.diff(sizes) > 0)) if len(sizes) > 1 else 0.0,
            "calls": len(sizes) / instance.inputs["N"],
        },
    )


task = Task(
    id="nesterov_worst_case",
    family="optimizers",
    title="Momentum without a worst case",
    paper=Paper("On the Dynamics of Acceleration in First order Gradient Methods", 2025),
    entry=Entry("def minimise(oracle: Oracle, x0: np.ndarray, L: float, mu: float, N: int) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("error", Direction.MINIMIZE, "log", floor=1e-6),
    descriptors=(
        Descriptor("rises", 0.0, 0.6, bins=8),
        Descriptor("calls", 0.0, 1.0, bins=4),
        Descriptor("code_size", 40, 500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Gradients,
    limits=TaskLimits(run=Limits(cpu_seconds=0.5, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Evaluating the gradient at an extrapolated point makes momentum converge where the heavy ball cycles; "
        "measured is the error over functions of several kinds."
    ),
)
