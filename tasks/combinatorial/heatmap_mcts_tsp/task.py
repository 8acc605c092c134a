"""Heatmaps and settings for a Monte Carlo tree search over tours (Pan et al. 2024, Rethinking Heatmap and MCTS).

A heatmap says which links are likely in a good tour; a randomised k-opt search follows it and learns from successes.
The paper shows that a prior by neighbours' ranks, without any learning, does as well as trained heatmaps once the
search's settings are tuned.

Scaled down: 100 points and 12,000 choices of a link in place of 500 to 10,000 points and minutes of compiled code.

Changed against the catalogue's sketch: the search itself is trusted and serves as oracle, charged by the chosen link,
so that programs are compared at equal work and not by a clock; a program brings heatmaps and settings, in as many
rounds as it likes. The gap is against the Held-Karp bound, which is safe and cheap, in place of a near-optimal length:
the best possible gap is about 0.01 and not 0. The default settings explore so much that at this budget they hardly
improve the given tour; the softmax of distances with tuned settings is the known program and about level with the
prior, which is the paper's point about settings.
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
from ....evaluators.checks import as_array, as_number, permutation
from ....sandbox import MIB, Limits
from ..tour_search import Settings, TourSearch
from ..workloads import Layout, cities, distance_matrix, held_karp_bound, tour_length, two_opt_tour

Array = np.ndarray[Any, Any]
LAYOUTS: tuple[Layout, ...] = ("uniform", "clustered", "explosion")
MOST = 1e6

STATEMENT = """
Guide a randomised search for a short round trip through points in the plane.

`search(oracle, xy, tour, steps, seed)` receives the points `xy` (n, 2) and a round trip `tour` (n,) that no 2-opt move
improves. It may call

`length, best, heat = oracle.explore(heat, steps, candidates, alpha, beta, depth, patience)`

as often as `steps` allows. The oracle keeps the shortest trip so far, at first `tour`, and searches from it:

- `heat` (n, n), values in [0, 1], rates the links; the diagonal is ignored. W is 100 times it. Only the `candidates`
  hottest links of each point are ever added.
- A move opens the trip at a random place. Up to `depth` times, the path's first point e is linked to a candidate p,
  the link into p is cut and the stretch before it reversed. p is drawn with a weight proportional to
  W[e, p] / (mean of the row W[e]) + `alpha` sqrt(log(M + 1) / (N[e, p] + 1)); M counts the moves of this call, N how
  often the link was chosen in it. As soon as closing the path shortens the trip by a gain, the move is done and
  W of its new links grows by `beta` (exp(gain / length) - 1).
- After `patience` moves in a row without gain, the search goes on from the shortest trip with two adjacent stretches
  exchanged, within 50 points.

Replies: the length of the shortest trip, that trip (n,), and W / 100, at most 1. Each choice of a link is one step. A
call is charged its `steps`, an int of at least n; all calls together must not take more than the argument `steps`.
Nothing is returned.

**Measured.** The gap, length of the shortest trip / a lower bound - 1; geometric mean over trips (after adding 1e-3),
smaller is better. The bound is not tight: the optimum has a gap of about 0.01. n is 100, steps 12,000 at full size.
Points are uniform, in clusters, or blown out of a disc.

**Rules.** 1 <= candidates, depth, patience, as ints; 0 <= alpha, beta; all at most 1e6. Other calls are refused with an
exception, and so is one that the budget does not cover. `seed` is for the program's own random choices.
"""


@dataclass(frozen=True)
class Secret:
    """``bound``: no tour is shorter; ``seed`` of the search."""

    bound: float
    seed: int


class Explorer(Oracle):
    methods = ("explore",)

    def __init__(self, instance: Instance) -> None:
        super().__init__()
        self.budget = float(instance.inputs["steps"])
        self._n = len(instance.inputs["xy"])
        rng = np.random.default_rng(instance.secret.seed)
        self._search = TourSearch(distance_matrix(instance.inputs["xy"]), instance.inputs["tour"], rng)

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        if len(args) != 7:
            raise OracleRefused("explore takes heat, steps, candidates, alpha, beta, depth and patience")
        return float(_whole(args[1], "steps", self._n))

    def explore(self, *args: Any) -> tuple[float, Array, Array]:
        heat, steps, candidates, alpha, beta, depth, patience = args
        try:
            rated = as_array(heat, shape=(self._n, self._n), name="heat", low=0.0, high=1.0)
            alpha = as_number(alpha, name="alpha", low=0.0, high=MOST)
            beta = as_number(beta, name="beta", low=0.0, high=MOST)
        except Rejected as rejection:
            raise OracleRefused(str(rejection)) from None
        settings = Settings(
            candidates=min(_whole(candidates, "candidates"), self._n - 1),
            alpha=alpha,
            beta=beta,
            depth=min(_whole(depth, "depth"), self._n),
            patience=_whole(patience, "patience"),
        )
        learned = self._search.run(rated, settings, _whole(steps, "steps"))
        return self._search.length, np.array(self._search.best), np.minimum(learned, 1.0)


def _whole(value: Any, name: str, low: int = 1) -> int:
    try:
        return int(as_array(value, shape=(), name=name, integer=True, low=low, high=MOST))
    except Rejected as rejection:
        raise OracleRefused(str(rejection)) from None


def instances(rng: np.random.Generator, size: Size) -> Sequence[Instance]:
    n, steps, copies = {"smoke": (80, 4000, 1), "default": (100, 12000, 3), "gpu": (1000, 10**6, 4)}[size]
    made = []
    for copy in range(copies):
        for layout in LAYOUTS:
            xy = cities(rng, layout, n)
            distances = distance_matrix(xy)
            tour = two_opt_tour(distances)
            bound = held_karp_bound(distances, tour_length(distances, tour))
            inputs = {"xy": xy, "tour": tour, "steps": steps, "seed": int(rng.integers(2**31))}
            made.append(Instance(f"{layout}-{copy}", inputs, Secret(bound, int(rng.integers(2**62)))))
    return made


def judge(instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    if log is None or not log.calls:
        return Verdict.invalid("the oracle was never called")
    xy = instance.inputs["xy"]
    best = permutation(log.calls[-1].reply[1], length=len(xy), name="the trip")
    distances = distance_matrix(xy)
    length = tour_length(distances, best)
    given = tour_length(distances, instance.inputs["tour"])
    return Verdict(
        valid=True,
        metrics={
            "gap": length / instance.secret.bound - 1,
            "improvement": 1 - length / given,
            "candidates": float(np.mean([min(call.args[2], len(xy) - 1) for call in log.calls])),
            "calls": len(log.calls),
        },
    )


task = Task(
    id="heatmap_mcts_tsp",
    family="combinatorial",
    title="A heatmap for a search over tours",
    paper=Paper("Rethinking the Heatmap + Monte Carlo Tree Search Paradigm for Solving Large Scale TSP", 2024),
    entry=Entry("def search(oracle: Oracle, xy: np.ndarray, tour: np.ndarray, steps: int, seed: int) -> None"),
    statement=STATEMENT,
    instances=instances,
    judge=judge,
    objective=Objective("gap", Direction.MINIMIZE, "log", floor=1e-3),
    descriptors=(
        Descriptor("candidates", 2, 100, bins=8, scale="log"),
        Descriptor("calls", 1, 100, bins=6, scale="log"),
        Descriptor("code_size", 50, 1000, bins=6, scale="log"),
    ),
    style="oracle",
    oracle=Explorer,
    limits=TaskLimits(run=Limits(cpu_seconds=0.5, wall_seconds=30.0, memory_bytes=512 * MIB), imports=("numpy",)),
    claim=(
        "A prior by neighbours' ranks, without learning, rivals learned heatmaps once the search is tuned; measured is "
        "the gap to the Held-Karp bound at equal steps of search."
    ),
)
