"""Bilevel optimisation where the lower level has many solutions, from gradients (Kwon et al. 2024, On Penalty Methods).

The paper moves the lower level into a penalty, sigma f + g minus the minimum of g, and shows that the gradient of this
difference over sigma approaches that of the optimistic value function, without second derivatives and without a unique
lower solution. Implicit differentiation follows whichever lower solution its descent happened to reach.

Scaled down: 10 and 40 variables, closed-form optimum, deterministic oracles. The paper's stochastic algorithm is not
measured: the penalty divides noise by sigma.

Changed against the catalogue's sketch: the upper function also couples x and y; boxes on y are left out, so that the
optimistic value has a closed form; half of the lower problems are warped, which makes them non-convex and keeps their
solutions; a budget of 1,500 units instead of 3,000. A known program that keeps implicit differentiation and only lets
the descent on y lean towards f comes far closer still, with second derivatives; hence the generous suspicious ratio.
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
from ..workloads import Bilevel

Array = np.ndarray[Any, Any]
COSTS = {"df": 1.0, "dg": 1.0, "hyy": 2.0, "hxy": 2.0}
LARGEST = 1e6
WORST_GAP = 1e3

STATEMENT = """
Minimise over x the upper function f(x, y), where y is **the best for f among all minimisers** of a lower function
g(x, .): psi(x) = min { f(x, y) : y minimises g(x, .) }. The lower level has many minimisers for every x.

`solve(oracle, nx, ny, y0, Lg, budget)` may call, with arrays x (nx,), y (ny,), v (ny,):

- `oracle.df(x, y)`: the pair (df/dx (nx,), df/dy (ny,)); costs 1,
- `oracle.dg(x, y)`: the pair (dg/dx (nx,), dg/dy (ny,)); costs 1,
- `oracle.hyy(x, y, v)`: second derivatives of g in y times v, (ny,); costs 2,
- `oracle.hxy(x, y, v)`: mixed second derivatives, d/dx of (dg/dy . v), (nx,); costs 2,

for at most `budget` in all (1500 at full size). `y0` (ny,) is a start of the lower level, far from what f likes; start
with x = 0. `Lg` bounds the norm of hyy. Return x (nx,).

**Measured.** The relative gap (psi(x) - psi*) / (psi(0) - psi*) at the x returned, at most 1000; geometric mean over
the problems (after adding 1e-6), smaller is better. y is not asked for.

**The problems.** nx = 10, ny = 40 at full size; f is strongly convex, its minimiser in y at a distance from the lower
solutions; g is smooth, half of the time not convex, but without bad stationary points. Nothing is noisy.

**Rules.** Entries of arguments and of x are at most 10^6 in size. A call with other shapes or values that are not
finite is refused with an exception, but charged; a call that the rest of the budget does not cover is refused.
"""


class Levels(Oracle):
    methods = ("df", "dg", "hyy", "hxy")

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["budget"])
        self._problem: Bilevel = instance.secret

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        return COSTS[method]

    def df(self, *args: Any) -> tuple[Array, Array]:
        return self._problem.upper_gradients(*self._arrays(args, 2))

    def dg(self, *args: Any) -> tuple[Array, Array]:
        return self._problem.lower_gradients(*self._arrays(args, 2))

    def hyy(self, *args: Any) -> Array:
        return self._problem.lower_products(*self._arrays(args, 3))[0]

    def hxy(self, *args: Any) -> Array:
        return self._problem.lower_products(*self._arrays(args, 3))[1]

    def _arrays(self, args: tuple[Any, ...], count: int) -> list[Array]:
        if len(args) != count:
            raise OracleRefused(f"this method takes {count} arrays")
        nx, ny = self._problem.d.size, self._problem.c.size
        shapes = ((nx,), (ny,), (ny,))
        try:
            return [
                as_array(value, shape=shape, name="the argument", low=-LARGEST, high=LARGEST)
                for value, shape in zip(args, shapes, strict=False)
            ]
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    nx, ny, rank, budget, copies = {
        "smoke": (10, 40, 20, 800, 1),
        "default": (10, 40, 20, 1500, 3),
        "gpu": (40, 160, 80, 6000, 3),
    }[size]
    made = []
    for name, bend in (("affine", 0.0), ("bent", 1.0)):
        for number in range(copies):
            problem = workloads.many_solutions(rng, nx, ny, rank, bend)
            y0 = 3 * rng.standard_normal(ny)
            inputs = {"nx": nx, "ny": ny, "y0": y0, "Lg": problem.smoothness, "budget": budget}
            made.append(Instance(f"{name}-{number}", inputs, problem))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    problem: Bilevel = instance.secret
    x = as_array(output, shape=problem.d.shape, name="x", low=-LARGEST, high=LARGEST)
    least = problem.value(problem.optimum)
    gap = (problem.value(x) - least) / (problem.value(np.zeros_like(x)) - least)
    if np.isnan(gap):
        return Verdict.invalid("the gap cannot be computed")
    charges = dict.fromkeys(COSTS, 0.0)
    for call in log.calls if log else []:
        charges[call.method] += call.cost
    spent = sum(charges.values())
    return Verdict(
        valid=True,
        metrics={
            "gap": min(max(gap, 0.0), WORST_GAP),
            "second_share": (charges["hyy"] + charges["hxy"]) / max(spent, 1.0),
            "upper_share": charges["df"] / max(spent, 1.0),
        },
    )


task = Task(
    id="penalty_bilevel_first_order",
    family="bilevel",
    title="A lower level with many solutions",
    paper=Paper("On Penalty Methods for Nonconvex Bilevel Optimization and First-Order Stochastic Approximation", 2024),
    entry=Entry("def solve(oracle: Oracle, nx: int, ny: int, y0: np.ndarray, Lg: float, budget: int) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("gap", Direction.MINIMIZE, "log", floor=1e-6),
    descriptors=(
        Descriptor("second_share", 0.0, 1.0, bins=6),
        Descriptor("upper_share", 0.0, 0.6, bins=6),
        Descriptor("code_size", 50, 500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Levels,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    suspicious_ratio=200.0,
    claim=(
        "A first-order penalty method finds the optimistic bilevel optimum where the lower solution is not unique; "
        "measured is the gap of the optimistic value at equal oracle cost."
    ),
)
