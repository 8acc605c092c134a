"""Bilevel optimisation whose upper level has no bounded curvature (Hao, Gong and Liu 2024, Bilevel Optimization under
Unbounded Smoothness).

Where the upper level's curvature grows with its gradient, as in recurrent networks, no constant step size serves both
far and near. The paper normalises the momentum of the hypergradient, refines the lower variable once at the start and
updates it only now and then, since a normalised step moves its solution by a known length.

Scaled down: 10 and 20 variables; a linear recurrence of six steps stands for the recurrent network, no text is
classified. The lower solution is an affine function of x, so that the hyper-objective is exact.

Changed against the catalogue's sketch: the upper functions vanish at a planted minimiser, so that the least value needs
no solver; one call gives both parts of the upper gradient, and the budget is 1,400 calls instead of 2,000; the baseline
finds its rate by going back to the start at a tenth of it whenever x runs away, which is the sketch's largest rate that
never overflows without a pilot of fixed length. Clipping the hypergradient of that single loop, a known program here,
does as well as the paper's method; a decaying Adam, tried too, does not (it left gaps of hundreds on exponentials).
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
    Paper,
    Size,
    Task,
    TaskLimits,
    Verdict,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from .. import steep
from ..arguments import LARGEST, arrays
from ..steep import NOISE, Loss, Steep

Array = np.ndarray[Any, Any]
METHODS: tuple[str, ...] = ("gy", "df", "hyy", "hxy")
PRODUCT_NOISE = 0.1
FURTHEST = 10.0

STATEMENT = """
Minimise over x the function F(x) = f(x, y*(x)), where y*(x) minimises the strongly convex g(x, .), from **noisy**
derivatives, where f grows **steeper the further away** x is: no constant bounds its curvature.

`solve(oracle, x0, ny, mu, Lg, budget)` may call, with arrays x (nx,), y (ny,), v (ny,):

- `oracle.gy(x, y)`: dg/dy, (ny,),
- `oracle.df(x, y)`: the pair (df/dx (nx,), df/dy (ny,)),
- `oracle.hyy(x, y, v)`: the second derivatives of g in y times v, (ny,),
- `oracle.hxy(x, y, v)`: the mixed second derivatives, d/dx of (dg/dy . v), (nx,),

each at a cost of 1, at most `budget` in all (1400 at full size). The eigenvalues of hyy lie between `mu` and `Lg`.
Start at `x0` (nx,) and any y. Return x (nx,).

The gradient of F is df/dx - hxy(x, y, v) at y = y*(x), for the v with hyy(x, y, v) = df/dy.

**Noise.** Each call draws its own: every entry is multiplied by 1 + 0.3 n (products of second derivatives: 1 + 0.1 n)
and moved by 0.3 n' (products: not moved), with n, n' standard normal.

**Measured.** F(x) - min F at the x returned, without noise, at most ten times that of x0; geometric mean over the
problems (after adding 0.001), smaller is better.

**The problems.** nx = 10, ny = 20 at full size; F is a mean of exponentials in opposite directions, a quartic, or the
error of a short linear recurrence that explodes; x0 is 19 away from the minimiser, and F is some hundreds to many
thousands there.

**Rules.** Entries of arguments and of x are at most 10^9 in size. A call with other shapes or values that are not
finite is refused with an exception, but charged; a call beyond the budget is refused.
"""


@dataclass(frozen=True)
class Noisy:
    """A problem and the seed of its noise: the same for every program."""

    problem: Steep
    seed: int


class Derivatives(Oracle):
    methods = METHODS

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["budget"])
        noisy: Noisy = instance.secret
        self._problem = noisy.problem
        self._rng = np.random.default_rng(noisy.seed)
        self._nx, self._ny = noisy.problem.start.size, noisy.problem.offset.size

    def gy(self, *args: Any) -> Array:
        return self._blurred(self._problem.lower_gradient(*arrays(args, self._nx, self._ny)))

    def df(self, *args: Any) -> tuple[Array, Array]:
        in_x, in_y = self._problem.upper_gradients(*arrays(args, self._nx, self._ny))
        return self._blurred(in_x), self._blurred(in_y)

    def hyy(self, *args: Any) -> Array:
        return self._scaled(self._problem.lower_products(*arrays(args, self._nx, self._ny, self._ny))[0])

    def hxy(self, *args: Any) -> Array:
        return self._scaled(self._problem.lower_products(*arrays(args, self._nx, self._ny, self._ny))[1])

    def _blurred(self, exact: Array) -> Array:
        factor, shift = self._rng.standard_normal((2, exact.size))
        return exact * (1 + NOISE * factor) + NOISE * shift

    def _scaled(self, exact: Array) -> Array:
        return exact * (1 + PRODUCT_NOISE * self._rng.standard_normal(exact.size))


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    nx, ny, budget, copies = {"smoke": (10, 20, 1000, 1), "default": (10, 20, 1400, 2), "gpu": (50, 100, 9000, 2)}[size]
    made = []
    for name in ("exponential", "recurrent", "quartic")[: 2 if size == "smoke" else 3]:
        for number in range(copies):
            problem = steep.steep(rng, _loss(rng, name), nx, ny, bend=float(number))
            mu, largest = (float(value) for value in np.linalg.eigvalsh(problem.hessian)[[0, -1]])
            inputs = {"x0": problem.start, "ny": ny, "mu": mu, "Lg": largest + problem.bend, "budget": budget}
            made.append(Instance(f"{name}-{number}", inputs, Noisy(problem, int(rng.integers(2**62)))))
    return made


def _loss(rng: np.random.Generator, name: str) -> Loss:
    if name == "recurrent":
        return steep.recurrent(rng.uniform(0.2, 0.8, steep.TERMS))
    return {"exponential": steep.EXPONENTIAL, "quartic": steep.QUARTIC}[name]


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    problem: Steep = instance.secret.problem
    x = as_array(output, shape=problem.start.shape, name="x", low=-LARGEST, high=LARGEST)
    calls = dict.fromkeys(METHODS, 0)
    for call in log.calls if log else []:
        calls[call.method] += 1
    total = max(sum(calls.values()), 1)
    return Verdict(
        valid=True,
        metrics={
            "gap": min(problem.value(x), FURTHEST * problem.value(problem.start)),
            "lower_share": calls["gy"] / total,
            "product_share": (calls["hyy"] + calls["hxy"]) / total,
        },
    )


task = Task(
    id="bo_rep_unbounded_smooth",
    family="bilevel",
    title="An upper level of unbounded steepness",
    paper=Paper("Bilevel Optimization under Unbounded Smoothness: A New Algorithm and Convergence Analysis", 2024),
    entry=Entry(
        "def solve(oracle: Oracle, x0: np.ndarray, ny: int, mu: float, Lg: float, budget: int) -> np.ndarray",
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("gap", Direction.MINIMIZE, "log", floor=1e-3),
    descriptors=(
        Descriptor("lower_share", 0.0, 1.0, bins=6),
        Descriptor("product_share", 0.0, 0.8, bins=6),
        Descriptor("code_size", 50, 500, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Derivatives,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "Normalised momentum with rare lower updates solves bilevel problems whose upper level is not smooth in the "
        "usual sense; measured is the gap of the hyper-objective at equal calls."
    ),
)
