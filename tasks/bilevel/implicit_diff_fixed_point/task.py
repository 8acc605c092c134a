"""Gradients through the solution of an inner problem (Blondel et al. 2022, Efficient and Modular Implicit
Differentiation).

The paper differentiates the optimality condition at the solution and solves one linear system by products alone,
whatever solver found the solution; unrolling that solver costs its steps again and remembers all of them.

Scaled down: 150 unknowns, five kinds of fixed point, numpy. Nothing of the user-facing interface is measured.

Changed against the catalogue's sketch: products of the map's derivatives are served at a charge, and the error at an
equal charge is judged instead of CPU seconds at a given error, which torch's start-up would blur; the program sees no
data, so that no closed form per kind can be written down; an implicit layer, whose Jacobian is not symmetric, replaces
dataset distillation; the map is served at one theta only.
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
from .. import fixed_points
from ..fixed_points import FixedPoint

Array = np.ndarray[Any, Any]
Solved = tuple[FixedPoint, Array]
COSTS = {"step": 1.0, "vjp": 2.0}
LARGEST = 1e6
WORST_ERROR = 1e3
DRAWS = 20
KINDS = (
    fixed_points.logistic,
    fixed_points.lasso,
    fixed_points.simplexes,
    fixed_points.equilibrium,
    fixed_points.packing,
)

STATEMENT = """
A solver iterates x <- T(x, theta) until x*(theta) = T(x*, theta), for parameters theta (p,). A loss L looks at x* only.
Compute the gradient of L(x*(theta)) in theta for several losses, given the gradient of each in x.

`hypergrad(oracle, n, p, x0, x_star, cots, budget)` gets the solution `x_star` float64 (n,), accurate to 1e-12, a start
`x0` (n,) from which the iteration converges to it, and the gradients `cots` (k, n) of k losses in x, of norm 1. It may
call

- `oracle.step(x)`: T(x, theta), (n,); costs 1,
- `oracle.vjp(x, u)`: the pair (u' dT/dx (n,), u' dT/dtheta (p,)) at x (n,) for u (n,); costs 2,

for at most `budget` in all (160 at full size). theta is fixed and not told. Return an array (k, p): row i is the
gradient of L_i(x*(theta)) in theta.

**Measured.** |row - exact| / |exact| of the worst row, at most 1000; geometric mean over the problems (after adding
1e-10), smaller is better.

**The problems.** n is about 150 and k = 2 at full size. T is a gradient step, a proximal or projected gradient step, or
a layer of a network; it is differentiable at x_star, and dT/dx need not be symmetric. Some x* may be moved along
directions that neither theta nor the losses notice. The iteration converges slowly for most. Nothing is noisy.

**Rules.** Entries of arguments and of the result are at most 10^6 in size. A call with other shapes or values that are
not finite is refused with an exception, but charged; a call that the rest of the budget does not cover is refused.
"""


@dataclass(frozen=True)
class Differentiated:
    """``gradients`` (k, p) are exact."""

    problem: FixedPoint
    gradients: Array


class Map(Oracle):
    methods = ("step", "vjp")

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["budget"])
        self._n: int = instance.inputs["n"]
        self._problem: FixedPoint = instance.secret.problem

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        return COSTS[method]

    def step(self, *args: Any) -> Array:
        return self._problem.step(*self._vectors(args, 1))

    def vjp(self, *args: Any) -> tuple[Array, Array]:
        x, u = self._vectors(args, 2)
        return self._problem.vjp(x, u)

    def _vectors(self, args: tuple[Any, ...], count: int) -> list[Array]:
        if len(args) != count:
            raise OracleRefused(f"the number of arrays must be {count}")
        try:
            return [as_array(v, shape=(self._n,), name="the argument", low=-LARGEST, high=LARGEST) for v in args]
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    n, count, budget = {"smoke": (30, 2, 80), "default": (150, 2, 160), "gpu": (900, 4, 1200)}[size]
    made = []
    for draw in KINDS:
        problem, x = solved(draw, rng, n)
        cots = fixed_points.cotangents(rng, problem, x, count)
        gradients = fixed_points.implicit_gradients(problem, x, cots)
        inputs = {
            "n": x.size,
            "p": gradients.shape[1],
            "x0": problem.start,
            "x_star": x,
            "cots": cots,
            "budget": budget,
        }
        made.append(Instance(draw.__name__, inputs, Differentiated(problem, gradients)))
    return made


def solved(draw: Callable[[np.random.Generator, int], FixedPoint], rng: np.random.Generator, n: int) -> Solved:
    """A problem and its solution, drawn anew where the iteration does not converge: some layers oscillate."""
    for _ in range(DRAWS):
        problem = draw(rng, n)
        try:
            return problem, fixed_points.solution(problem)
        except ArithmeticError:
            continue
    raise ArithmeticError(f"{DRAWS} draws without a fixed point")


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    exact: Array = instance.secret.gradients
    found = as_array(output, shape=exact.shape, name="the gradients", low=-LARGEST, high=LARGEST)
    errors = np.linalg.norm(found - exact, axis=1) / np.linalg.norm(exact, axis=1)
    charges = dict.fromkeys(COSTS, 0.0)
    for call in log.calls if log else []:
        charges[call.method] += call.cost
    spent = sum(charges.values())
    return Verdict(
        valid=True,
        metrics={
            "error": min(float(errors.max()), WORST_ERROR),
            "step_share": charges["step"] / max(spent, 1.0),
            "spent_share": spent / instance.inputs["budget"],
        },
    )


task = Task(
    id="implicit_diff_fixed_point",
    family="bilevel",
    title="Gradients through a fixed point",
    paper=Paper("Efficient and Modular Implicit Differentiation", 2022),
    entry=Entry(
        "def hypergrad(oracle: Oracle, n: int, p: int, x0: np.ndarray, x_star: np.ndarray, cots: np.ndarray, "
        "budget: int) -> np.ndarray"
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("error", Direction.MINIMIZE, "log", floor=1e-10),
    descriptors=(
        Descriptor("step_share", 0.0, 0.6, bins=6),
        Descriptor("spent_share", 0.0, 1.0, bins=6),
        Descriptor("code_size", 50, 500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Map,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    suspicious_ratio=1e4,
    claim=(
        "Implicit differentiation at the solution gives the gradient of an inner problem for less than unrolling its "
        "solver; measured is the error at equal oracle cost."
    ),
)
