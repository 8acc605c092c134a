"""Which roads to build, when drivers choose their routes (Madadi and Correia 2024, A hybrid deep-learning-metaheuristic
framework for bi-level network design problems).

The effect of a set of new links is known only after drivers have settled, and that is what costs. The paper learns the
settled travel times by a graph neural network and lets a genetic algorithm work on the network's predictions.

Scaled down: grids of 16 crossings and 16 candidates, 50 equilibria a network. The surrogate is a ridge regression on
links and pairs of links, fitted to the equilibria asked for, in place of a neural network trained on many thousands of
solved networks beforehand.

Changed against the catalogue's sketch: no crossings are removed; the share saved of what building everything would save
is measured instead of the gap to the best design known, which would take thousands of equilibria for each draw; 50
equilibria of 20 averages instead of 60 of 30. Greedy choice by the gain of single links with random exchanges, a known
program here, does about as well as the genetic algorithm on the surrogate on some networks and worse on others.
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
from .. import traffic
from ..traffic import Roads

Array = np.ndarray[Any, Any]
SHOWN_STEPS, JUDGED_STEPS = 20, 100
BUDGET_SHARE = 0.35

STATEMENT = """
Decide **which roads to build** within a budget so that all drivers together travel for the shortest time, although
each of them takes the route that is fastest for himself.

`design(oracle, nodes, edges, t0, cand, cand_t0, cand_cost, od, budget, max_evals, seed)` gets

- `nodes` int, the existing directed links `edges` int (m, 2) with their travel times when empty, `t0` (m,);
- the candidate links `cand` int (c, 2) with `cand_t0` (c,) and building costs `cand_cost` (c,);
- the demand `od` (q, 3): origin, destination, vehicles. Links get slower with traffic; how much is not told.

`oracle.evaluate(x)` with x (c,) of 0 and 1, of cost x . cand_cost <= `budget`, returns the total travel time, a float,
when drivers have (nearly) settled; at most `max_evals` calls (50 at full size), the same x counts again. `seed` is for
random choices of the program's own. Return the design, (c,) of 0 and 1, of cost at most `budget`.

**Measured.** The share of what building everything would save: (T(nothing) - T(x)) / (T(nothing) - T(everything)), T
being computed to a higher accuracy; mean over the networks, larger is better.

**The networks.** Grids of 4 x 4 crossings with 16 candidates that jump two or three blocks, about a third of which can
be paid, and 24 pairs of origin and destination; busy roads carry more than their capacity.

**Rules.** A design that costs more than `budget` is invalid. A call with other arguments, or with a design that costs
too much, is refused with an exception and uses up a call; so does every call beyond `max_evals`, without an answer.
"""


@dataclass(frozen=True)
class Planned:
    """Total travel times with nothing and with everything built."""

    roads: Roads
    nothing: float
    everything: float


class Equilibria(Oracle):
    methods = ("evaluate",)

    def __init__(self, instance: Instance) -> None:
        self.log = CallLog()
        self.budget = float(instance.inputs["max_evals"])
        self._roads: Roads = instance.secret.roads
        self._money = instance.inputs["budget"]

    def evaluate(self, *args: Any) -> float:
        if len(args) != 1:
            raise OracleRefused("evaluate takes one argument: the design")
        try:
            return self._roads.total_time(checked(args[0], self._roads, self._money), SHOWN_STEPS)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None


def checked(design: Any, roads: Roads, budget: float) -> Array:
    """A design (c,) within the budget. Raises: Rejected."""
    x = as_array(design, shape=roads.costs.shape, name="the design", integer=True, low=0, high=1)
    if not x @ roads.costs <= budget * (1 + 1e-9):
        raise Rejected("the design costs more than the budget")
    return x


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    side, candidates, trips, calls, copies = {
        "smoke": (4, 16, 24, 50, 3),
        "default": (4, 16, 24, 50, 6),
        "gpu": (6, 24, 60, 120, 8),
    }[size]
    made = []
    for number in range(copies):
        roads = traffic.grid(rng, side, candidates, trips)
        streets = len(roads.ends) - candidates
        nothing, everything = (roads.total_time(np.full(candidates, built), JUDGED_STEPS) for built in (0, 1))
        inputs = {
            "nodes": roads.nodes,
            "edges": roads.ends[:streets],
            "t0": roads.free[:streets],
            "cand": roads.ends[streets:],
            "cand_t0": roads.free[streets:],
            "cand_cost": roads.costs,
            "od": roads.trips,
            "budget": BUDGET_SHARE * float(roads.costs.sum()),
            "max_evals": calls,
            "seed": int(rng.integers(2**31)),
        }
        made.append(Instance(f"grid-{number}", inputs, Planned(roads, nothing, everything)))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    planned: Planned = instance.secret
    x = checked(output, planned.roads, instance.inputs["budget"])
    saved = planned.nothing - planned.roads.total_time(x, JUDGED_STEPS)
    designs = {tuple(np.asarray(call.args[0]).tolist()) for call in log.calls} if log else set()
    return Verdict(
        valid=True,
        metrics={
            "saved": saved / (planned.nothing - planned.everything),
            "different": len(designs) / instance.inputs["max_evals"],
            "spent": float(x @ planned.roads.costs) / instance.inputs["budget"],
        },
    )


task = Task(
    id="gnn_ga_network_design",
    family="bilevel",
    title="Roads for drivers who choose",
    paper=Paper("A hybrid deep-learning-metaheuristic framework for bi-level network design problems", 2024),
    entry=Entry(
        "def design(oracle: Oracle, nodes: int, edges: np.ndarray, t0: np.ndarray, cand: np.ndarray,"
        " cand_t0: np.ndarray, cand_cost: np.ndarray, od: np.ndarray, budget: float, max_evals: int, seed: int)"
        " -> np.ndarray",
    ),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("saved", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("different", 0.0, 1.0, bins=6),
        Descriptor("spent", 0.5, 1.0, bins=5),
        Descriptor("code_size", 100, 900, bins=8, scale="log"),
    ),
    style="oracle",
    oracle=Equilibria,
    limits=TaskLimits(run=Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "A genetic algorithm on a learned surrogate of the traffic equilibrium finds better networks than one on the "
        "equilibrium itself; measured is the travel time saved at equal equilibria."
    ),
)
