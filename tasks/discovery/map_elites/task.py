"""Illuminating a space of behaviours (Mouret and Clune 2015, Illuminating search spaces by mapping elites).

Not one best solution is wanted but a good one of every kind: of each cell of a grid over two features of behaviour.

Scaled down: 20,000 evaluations of closed formulas; soft robots and the physical arm are left out.

Changed against the catalogue's sketch: the retina network is left out (its connection cost is no continuous behaviour
on 30 weights), the longer arm has 16 joints (with 24 the two methods come level now and then), and the behaviour of
Rastrigin's function is the mean of each half of the coordinates over the middle three fifths. The paper's claim about
the single best solution did not reproduce at this size, as the row says: it is a descriptor. Elites that also move
towards each other are the known program, above 1.
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
    costly,
)
from ....evaluators.checks import as_array
from ....sandbox import MIB, Limits
from .. import domains
from ..domains import Cells, Evaluation

Array = np.ndarray[Any, Any]
GENERATOR = 1

STATEMENT = """
Find good solutions of **every kind**, within a number of evaluations.

`illuminate(oracle, dim, budget, side)` may call `fitness, behaviour = oracle.evaluate(X)`: `X` is an array (r, dim) of
r >= 1 points in [0, 1]; the reply is their fitness float64 (r,) in [0, 1] and their behaviour float64 (r, 2) in [0, 1].
All calls together may evaluate `budget` points. The square of behaviours is cut into `side` x `side` cells of equal
size. Nothing is returned: the trusted side keeps the best fitness that was evaluated in each cell.

**Measured.** The best fitness in each cell over the best one known there, 0 for a cell without a point, at most 1; mean
over all cells that are known to be reachable, then over the domains; larger is better.

**Domains.** A planar arm (12 and 16 joints; its links and preferred angles are hidden) whose behaviour is where it
ends, and a function of 10 and 20 variables with very many local optima around a hidden centre. Evaluations have no
noise. `budget` is 20,000, `side` 25.

**Rules.** A call with other than finite points of the cube is refused with an exception and uses up one evaluation; so
is, without cost, a call that the rest of the budget does not cover. A program that evaluates nothing is invalid.
"""


@dataclass(frozen=True)
class Domain:
    """``known`` (side^2,) is the best fitness known in each cell, -1 where no point is known."""

    evaluate: Evaluation
    known: Array


@dataclass(slots=True)
class Illumination(CallLog):
    """Also the cells as the calls have filled them."""

    cells: Cells | None = None


class Probe(Oracle):
    methods = ("evaluate",)

    def __init__(self, instance: Instance) -> None:
        self._cells = Cells(instance.inputs["side"])
        self.log: Illumination = Illumination(cells=self._cells)
        self.budget = float(instance.inputs["budget"])
        self._evaluate: Evaluation = instance.secret.evaluate
        self._dim = instance.inputs["dim"]

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        points = args[0] if args else None
        return float(max(len(points), 1)) if isinstance(points, np.ndarray | list) and np.ndim(points) else 1.0

    def evaluate(self, *args: Any) -> tuple[Array, Array]:
        if len(args) != 1:
            raise OracleRefused("evaluate takes one argument: the points")
        try:
            points = as_array(args[0], shape=(None, self._dim), name="the array of points", low=0.0, high=1.0)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        if not len(points):
            raise OracleRefused("evaluate takes at least one point")
        fitness, behaviour = self._evaluate(points)
        self._cells.add(fitness, behaviour)
        return fitness, behaviour


Kind = Callable[[np.random.Generator, int], Evaluation]


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    budget, side, copies = {"smoke": (1500, 10, 1), "default": (20_000, 25, 1), "gpu": (100_000, 64, 2)}[size]
    plan: list[tuple[str, Kind, int]] = [
        ("arm", domains.arm, 12),
        ("rastrigin", domains.rastrigin, 10),
        ("arm", domains.arm, 16),
        ("rastrigin", domains.rastrigin, 20),
    ]
    made = []
    for copy in range(copies):
        for name, kind, dim in plan[:2] if size == "smoke" else plan:
            seed = int(rng.integers(2**62))
            inputs = {"dim": dim, "budget": budget, "side": side}
            domain = _known(kind(np.random.default_rng(seed), dim), name, seed, inputs)
            made.append(Instance(f"{name}-{dim}-{copy}", inputs, domain))
    return made


def _known(evaluate: Evaluation, name: str, seed: int, inputs: dict[str, int]) -> Domain:
    def facts() -> dict[str, Array]:
        evaluations = 10 * inputs["budget"]
        return {"known": domains.long_illumination(evaluate, inputs["dim"], inputs["side"], seed, evaluations)}

    key = {"name": name, "seed": seed, **inputs}
    return Domain(evaluate, costly("map_elites", GENERATOR, key, facts)["known"])


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    known: Array = instance.secret.known
    cells = log.cells if isinstance(log, Illumination) else None
    if cells is None or not cells.filled.any():
        return Verdict.invalid("no point was evaluated")
    best = cells.best
    # A cell that only the candidate has reached, or has filled better, counts as fully reached.
    reachable = (known >= 0) | (best >= 0)
    share = np.clip(best, 0, None)[reachable] / np.maximum(np.maximum(known, best), 1e-9)[reachable]
    filled = best[reachable] >= 0
    return Verdict(
        valid=True,
        metrics={
            "reliability": float(share.mean()),
            "coverage": float(filled.mean()),
            "precision": float(share[filled].mean()) if filled.any() else 0.0,
            "best": float(max(best.max(), 0.0) / known.max()),
        },
    )


task = Task(
    id="map_elites",
    family="discovery",
    title="A good solution of every kind",
    paper=Paper("Illuminating search spaces by mapping elites", 2015),
    entry=Entry("def illuminate(oracle: Oracle, dim: int, budget: int, side: int) -> None"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("reliability", Direction.MAXIMIZE, "linear"),
    descriptors=(
        Descriptor("coverage", 0.0, 1.0, bins=8),
        Descriptor("best", 0.5, 1.0, bins=6),
        Descriptor("code_size", 50, 800, bins=6, scale="log"),
    ),
    kind="both",
    style="oracle",
    oracle=Probe,
    limits=TaskLimits(run=Limits(cpu_seconds=1.0, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "MAP-Elites fills more of a space of behaviours, and better, than an evolutionary algorithm for fitness alone; "
        "measured is the mean share of the best known fitness over all reachable cells."
    ),
)
