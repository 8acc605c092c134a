"""Batches on one compute stream, experts that come over one link into a small cache a layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
AHEAD = 2


@dataclass(frozen=True)
class Served:
    """``activated`` counts (batch, layer, expert) triples, ``missed`` those that had to be loaded on demand."""

    makespan: float
    activated: int
    missed: int
    loads: int


class Cache:
    """Experts of one layer on the device, the least recently used first, and when each has arrived."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.resident: list[int] = []
        self.ready: dict[int, float] = {}

    def want(self, experts: list[int], free: float, t_load: float) -> float:
        """Load what is missing, one after another from ``free`` on; returns when the link is free again."""
        for expert in experts:
            if expert not in self.resident:
                free += t_load
                self.ready[expert] = free
        others = [expert for expert in self.resident if expert not in experts]
        self.resident = others[max(len(others) - (self.room - len(experts)), 0) :] + experts
        return free

    def use(self, experts: list[int]) -> None:
        self.resident = [*(e for e in self.resident if e not in experts), *experts][-self.room :]


def serve(batches: Array, prefetch: Array, routes: Array, hw: Mapping[str, float]) -> Served:
    """Run ``batches`` (n, B) of the tokens with ``routes`` (tokens, L) and ``prefetch`` (n, L, C), times in ms."""
    count, layers, room = prefetch.shape
    caches = [Cache(room) for _ in range(layers)]
    steps = [(batch, layer) for batch in range(count) for layer in range(layers)]
    begun: list[float] = []
    clock = link = 0.0
    activated = missed = loads = asked = 0
    for number, (batch, layer) in enumerate(steps):
        while asked <= min(number + AHEAD, len(steps) - 1):
            link = max(link, begun[asked - AHEAD]) if 0 <= asked - AHEAD < len(begun) else link
            cache, wanted = caches[steps[asked][1]], prefetch[steps[asked]]
            experts = [int(expert) for expert in wanted if expert >= 0]
            loads += len(set(experts) - set(cache.resident))
            link = cache.want(experts, link, hw["t_load"])
            asked += 1
        begun.append(clock)
        cache, needed = caches[layer], np.unique(routes[batches[batch], layer]).tolist()
        start = max([clock, *(cache.ready.get(expert, 0.0) for expert in needed if expert in cache.resident)])
        absent = [expert for expert in needed if expert not in cache.resident]
        for expert in absent:
            link = max(link, clock) + hw["t_load"]
            cache.ready[expert] = link
            start = max(start, link)
        cache.use(needed)
        activated, missed, loads = activated + len(needed), missed + len(absent), loads + len(absent)
        clock = start + hw["t_expert"] * len(needed) + hw["t_token"] * batches.shape[1]
    return Served(clock, activated, missed, loads)


def all_resident(batches: Array, routes: Array, hw: Mapping[str, float]) -> float:
    """The makespan of these batches where nothing is ever loaded."""
    needed = sum(len(np.unique(column)) for batch in batches for column in routes[batch].T)
    return hw["t_expert"] * needed + hw["t_token"] * batches.size * routes.shape[1]
