"""Bilevel optimisation whose lower level is constrained together with x (Yao, Yin, Zeng and Zhang 2024, Constrained
Bi-Level Optimization: Proximal Lagrangian Value Function Approach and Hessian-free Algorithm).

The paper smooths the lower level's Lagrangian value function by proximal terms in y and in the multiplier, and descends
on F + c (f - value) over the coupled set in one loop, by first derivatives alone. Implicit differentiation of the
conditions of optimality never moves y inside the set of lower solutions and so stalls.

Scaled down: the paper's own example with random coefficients, 10 to 20 upper variables and one constraint, whose
optimistic value has a closed form; no federated learning and no hyperparameters of support vector machines.

Changed against the catalogue's sketch: the constraint is told, so no oracle serves it; 3,000 units instead of 10,000
(750 iterations of the paper's method); all instances are of the example's kind, since on random inequalities with
many active sets the method was not ahead. The baseline's pseudo-inverse is applied by conjugate gradients. The same two
loops with lower steps that lean towards F, a known program here, come closer than the paper's method by half, with
second derivatives; hence the generous suspicious ratio. The paper's method diverges for large steps; its step is in
units of the constraint's norm, since one of 0.05 was too large for some draws of 20 variables.
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
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from .. import workloads
from ..arguments import LARGEST, arrays
from ..workloads import Coupled

Array = np.ndarray[Any, Any]
COSTS = {"dF": 1.0, "df": 1.0, "hyy": 2.0, "hxy": 2.0}
WORST_GAP = 1e3

STATEMENT = """
Minimise over x the upper function F(x, y), where y is **the best for F among all solutions** of a constrained lower
level: y minimises f(x, y) subject to `W` (x, y) <= `c`, in which x and y are **coupled**. psi(x) is the least F(x, y)
over these y.

`solve(oracle, nx, ny, W, c, budget)` gets the constraint as arrays `W` (k, nx + ny) and `c` (k,) and may call, with
arrays x (nx,), y (ny,), v (ny,):

- `oracle.dF(x, y)`: the pair (dF/dx (nx,), dF/dy (ny,)); costs 1,
- `oracle.df(x, y)`: the pair (df/dx (nx,), df/dy (ny,)); costs 1,
- `oracle.hyy(x, y, v)`: second derivatives of f in y times v, (ny,); costs 2,
- `oracle.hxy(x, y, v)`: mixed second derivatives, d/dx of (df/dy . v), (nx,); costs 2,

for at most `budget` in all (3000 at full size). Start with x = 0. Return x (nx,).

**Measured.** The relative gap (psi(x) - psi*) / (psi(0) - psi*) at the x returned, at most 1000; geometric mean over
the problems (after adding 0.00001), smaller is better. y is not asked for.

**The problems.** F and f are convex quadratics with curvatures of about one, f is linear in half of y, so that the
lower solution is not unique. One constraint (k = 1); it is tight at every lower solution. ny = 2 nx, nx = 10 to 20 at
full size. Nothing is noisy.

**Rules.** Entries of arguments and of x are at most 10^9 in size. A call with other shapes or values that are not
finite is refused with an exception, but charged; a call that the rest of the budget does not cover is refused.
"""


class Levels(Oracle):
    methods = ("dF", "df", "hyy", "hxy")

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["budget"])
        self._problem: Coupled = instance.secret
        self._nx, self._ny = instance.inputs["nx"], instance.inputs["ny"]

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        return COSTS[method]

    def dF(self, *args: Any) -> tuple[Array, Array]:
        return self._problem.upper_gradients(*arrays(args, self._nx, self._ny))

    def df(self, *args: Any) -> tuple[Array, Array]:
        return self._problem.lower_gradients(*arrays(args, self._nx, self._ny))

    def hyy(self, *args: Any) -> Array:
        return self._problem.lower_products(arrays(args, self._nx, self._ny, self._ny)[2])[0]

    def hxy(self, *args: Any) -> Array:
        return self._problem.lower_products(arrays(args, self._nx, self._ny, self._ny)[2])[1]


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    dimensions, budget = {
        "smoke": ((10, 20), 2500),
        "default": ((10, 15, 20), 3000),
        "gpu": ((50, 100, 200), 40_000),
    }[size]
    made = []
    for number, n in enumerate(dimensions):
        problem = workloads.coupled(rng, n)
        W = np.concatenate([problem.a1, problem.a2, problem.a3])[None, :]
        inputs = {"nx": n, "ny": 2 * n, "W": W, "c": np.zeros(1), "budget": budget}
        made.append(Instance(f"coupled-{number}", inputs, problem))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    problem: Coupled = instance.secret
    x = as_array(output, shape=problem.wanted.shape, name="x", low=-LARGEST, high=LARGEST)
    least = problem.value(problem.optimum)
    gap = (problem.value(x) - least) / (problem.value(np.zeros_like(x)) - least)
    charges = dict.fromkeys(COSTS, 0.0)
    for call in log.calls if log else []:
        charges[call.method] += call.cost
    spent = max(sum(charges.values()), 1.0)
    return Verdict(
        valid=True,
        metrics={
            "gap": min(max(gap, 0.0), WORST_GAP),
            "second_share": (charges["hyy"] + charges["hxy"]) / spent,
            "upper_share": charges["dF"] / spent,
        },
    )


task = Task(
    id="lv_hba_constrained_bilevel",
    family="bilevel",
    title="A lower level constrained together with the upper",
    paper=Paper(
        "Constrained Bi-Level Optimization: Proximal Lagrangian Value function Approach and Hessian-free Algorithm",
        2024,
    ),
    entry=Entry(
        "def solve(oracle: Oracle, nx: int, ny: int, W: np.ndarray, c: np.ndarray, budget: int) -> np.ndarray",
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("gap", Direction.MINIMIZE, "log", floor=1e-5),
    descriptors=(
        Descriptor("second_share", 0.0, 1.0, bins=6),
        Descriptor("upper_share", 0.0, 0.6, bins=6),
        Descriptor("code_size", 50, 600, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Levels,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    suspicious_ratio=200.0,
    claim=(
        "A single loop on a proximal Lagrangian value function solves bilevel problems with coupled lower constraints "
        "and many lower solutions, without second derivatives; measured is the gap at equal oracle cost."
    ),
)
