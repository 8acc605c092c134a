"""Road networks with congestion: which links to build is decided above, drivers choose their routes below."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

DELAY = 0.15


@dataclass(frozen=True)
class Roads:
    """Directed links ``ends`` (m, 2) between ``nodes`` nodes, of which the last ``costs.size`` are only candidates.

    A link with flow v takes time free (1 + 0.15 (v / capacity)^power). ``trips`` (q, 3): origin, destination, demand.
    ``costs`` (c,) are those of building candidates.
    """

    nodes: int
    ends: Array
    free: Array
    capacity: Array
    power: Array
    trips: Array
    costs: Array

    def total_time(self, built: Array, steps: int) -> float:
        """The sum of all travel times after ``steps`` of successive averages towards the user equilibrium.

        ``built`` (c,) is 0 or 1. No driver gains by another route at the equilibrium (Wardrop's first principle).
        """
        open_links = np.concatenate([np.arange(len(self.ends) - built.size), self._candidates[built > 0]])
        return self._equilibrium(open_links, steps)[1]

    @cached_property
    def _candidates(self) -> Array:
        return np.arange(len(self.ends) - self.costs.size, len(self.ends))

    def times(self, links: Array, flow: Array) -> Array:
        return self.free[links] * (1 + DELAY * (flow / self.capacity[links]) ** self.power[links])

    def _equilibrium(self, links: Array, steps: int) -> tuple[Array, float]:
        flow = self.loaded(links, self.times(links, np.zeros(len(links))))
        for step in range(1, steps):
            flow = flow + 2 / (step + 2) * (self.loaded(links, self.times(links, flow)) - flow)
        return flow, float(flow @ self.times(links, flow))

    def loaded(self, links: Array, times: Array) -> Array:
        """The flow on each of ``links`` if every trip takes its fastest route at these times."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import dijkstra

        tails, heads = self.ends[links].T
        graph = csr_matrix((times, (tails, heads)), shape=(self.nodes, self.nodes))
        number = np.full((self.nodes, self.nodes), -1)
        number[tails, heads] = np.arange(len(links))
        origins, at = self.trips[:, 0].astype(int), self.trips[:, 1].astype(int)
        before = dijkstra(graph, return_predecessors=True)[1]
        flow, demand = np.zeros(len(links)), self.trips[:, 2]
        while len(at):
            last = before[origins, at]
            np.add.at(flow, number[last, at], demand)
            going = last != origins
            origins, at, demand = origins[going], last[going], demand[going]
        return flow


def grid(rng: np.random.Generator, side: int, candidates: int, trips: int) -> Roads:
    """Two-way streets of a square grid; candidates jump two or three blocks and are faster."""
    nodes = side * side
    place = np.stack(np.divmod(np.arange(nodes), side), axis=1)
    apart = np.abs(place[:, None] - place[None]).sum(axis=2)
    streets = np.argwhere(apart == 1)
    jumps = np.argwhere((apart == 2) | (apart == 3))
    chosen = jumps[rng.choice(len(jumps), candidates, replace=False)]
    pairs = np.argwhere(apart >= 2)
    wanted = pairs[rng.choice(len(pairs), trips, replace=False)]
    return Roads(
        nodes=nodes,
        ends=np.concatenate([streets, chosen]),
        free=np.concatenate([rng.uniform(1, 3, len(streets)), rng.uniform(1.5, 4, candidates)]),
        capacity=rng.uniform(4, 10, len(streets) + candidates),
        power=rng.uniform(3, 5, len(streets) + candidates),
        trips=np.column_stack([wanted, rng.uniform(1, 4, trips)]),
        costs=rng.uniform(1, 3, candidates),
    )
