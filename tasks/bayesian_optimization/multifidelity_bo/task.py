"""Optimisation with a cheap and a costly version of a function (Do and Zhang 2023, Multi-fidelity Bayesian
Optimization in Engineering Design).

The survey's engineers have a rough simulation at a tenth of the price. Two of its ingredients stand for all: a
surrogate of the high level built on that of the low one, and an acquisition that looks at prices.

Scaled down: analytic functions of two to eight variables instead of simulators, two levels, a budget of 12 or 20
evaluations at the high level.

Changed against the catalogue's sketch: budgets of 10 and 20 costly evaluations instead of 12 and 20; three in seven
instances hold random fields, twice as both levels and once as a cheap level that knows nothing of the costly one, so
that textbook formulas are of no use there and trust in the low level is punished; functions are shifted by showing a
random nine tenths of each range. On the misleading instances the reference does worse than the baseline: it learns
that the levels do not correlate only after it has paid for cheap queries.
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
from ....evaluators.checks import as_array, as_number
from ....sandbox import MIB, Limits
from .. import workloads
from ..workloads import Pair

Array = np.ndarray[Any, Any]
COSTS = [1.0, 10.0]
LEAST_REGRET, WORST_REGRET = 1e-4, 1.0

STATEMENT = """
Minimise a costly function on the unit cube with the help of a **cheap, rough version** of it.

`optimize(oracle, dim, costs, budget)` may call `y = oracle.query(x, level)`: `x` is an array (dim,) in [0, 1], `level`
an int, 0 for the cheap version and 1 for the function itself; the reply is its value, a float without noise. A call is
charged `costs[level]` (1 and 10); all calls together must not cost more than `budget`. Return the recommended
minimiser of level 1, an array (dim,) in [0, 1]; it need not have been queried.

**Measured.** The regret of the recommendation at level 1, (f(x) - min f) / (median of f over the cube - min f), kept
between 0.0001 and 1; geometric mean over the functions, smaller is better.

**The functions.** Smooth, of 2 to 8 variables, from engineering and from random draws, disguised by permutations,
reflections and shifts. Mostly the two levels are alike, up to scale, offset and a smooth difference; sometimes the
cheap one is misleading. `budget` is 100 in two variables and 200 in more (at full size).

**Rules.** A call with a point of another shape, not finite or outside the cube, or with another level, is refused with
an exception but charged, a level that does not exist as the costly one; so is, without charge, a call that the rest of
the budget does not cover.
"""


class Simulator(Oracle):
    methods = ("query",)

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["budget"])
        self._pair: Pair = instance.secret

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        level = _level(args)
        return COSTS[-1 if level is None else level]

    def query(self, *args: Any) -> float:
        level = _level(args)
        if level is None:
            raise OracleRefused("query takes two arguments: the point, and the level 0 or 1")
        try:
            x = as_array(args[0], shape=(self._pair.dim,), name="the point", low=0.0, high=1.0)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        return float(self._pair.levels[level](x[None])[0])


def _level(args: tuple[Any, ...]) -> int | None:
    """The level of a query; None where there is none."""
    if len(args) != 2:
        return None
    try:
        level = as_number(args[1])
    except Rejected:
        return None
    return int(level) if level in (0.0, 1.0) else None


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    calls, copies = {"smoke": (8, 1), "default": (10, 2), "gpu": (20, 4)}[size]
    made = []
    for copy in range(copies):
        plan = _plan(rng)
        for name, dim, rough, exact in (plan[0], plan[2]) if size == "smoke" else plan:
            budget = COSTS[-1] * (calls if dim == 2 else calls + 10)
            pair = workloads.disguised(int(rng.integers(2**62)), name, dim, rough, exact)
            inputs = {"dim": dim, "costs": COSTS, "budget": budget}
            made.append(Instance(f"{name}-{copy}" if copies > 1 else name, inputs, pair))
    return made


def _plan(rng: np.random.Generator) -> list[tuple[str, int, workloads.Values, workloads.Values]]:
    """Name, dimension, cheap and costly level."""
    first, second, third = (workloads.field(rng, dim, length) for dim, length in ((2, 0.2), (4, 0.6), (2, 0.2)))
    gap_first, gap_second = workloads.field(rng, 2, 0.5), workloads.field(rng, 4, 1.2)
    return [
        ("currin", 2, workloads.rough_currin, workloads.currin),
        ("branin", 2, workloads.rough_branin, workloads.branin),
        ("hartmann", 6, workloads.rough_hartmann, workloads.hartmann),
        ("borehole", 8, workloads.rough_borehole, workloads.borehole),
        ("field-2", 2, lambda x: 2 * first(x) + 0.5 * gap_first(x), first),
        ("field-4", 4, lambda x: second(x) + 0.3 * gap_second(x), second),
        ("misled", 2, third, workloads.branin),
    ]


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    pair: Pair = instance.secret
    x = as_array(output, shape=(pair.dim,), name="the recommendation", low=0.0, high=1.0)
    regret = pair.regret(x)
    if not np.isfinite(regret):
        return Verdict.invalid("the function has no value at the recommendation")
    costs = [call.cost for call in log.calls] if log else []
    return Verdict(
        valid=True,
        metrics={
            "regret": min(max(regret, LEAST_REGRET), WORST_REGRET),
            "cheap_share": sum(cost for cost in costs if cost == COSTS[0]) / max(sum(costs), 1.0),
            "queries": len(costs),
        },
    )


task = Task(
    id="multifidelity_bo",
    family="bayesian_optimization",
    title="A cheap and a costly version",
    paper=Paper("Multi-fidelity Bayesian Optimization in Engineering Design", 2023),
    entry=Entry("def optimize(oracle: Oracle, dim: int, costs: list, budget: float) -> np.ndarray"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("regret", Direction.MINIMIZE, "log"),
    descriptors=(
        Descriptor("cheap_share", 0.0, 1.0, bins=8),
        Descriptor("queries", 5, 150, bins=6, scale="log"),
        Descriptor("code_size", 100, 1200, bins=6, scale="log"),
    ),
    style="oracle",
    oracle=Simulator,
    limits=TaskLimits(
        run=Limits(cpu_seconds=0.5, wall_seconds=30.0, memory_bytes=512 * MIB),
        imports=("numpy", "scipy.special", "scipy.linalg"),
    ),
    claim=(
        "A surrogate and an acquisition over two fidelities save cost where the levels correlate; measured is the "
        "regret at equal cost."
    ),
)
