"""Topologies: to which islands an island sends its best elite."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

TopologyName = Literal["ring", "star", "full", "random"]


class Topology(Protocol):
    def targets(self, source: int, islands: int, rng: np.random.Generator) -> list[int]:
        """Indices below ``islands``, without ``source``; none where there is one island."""
        ...


class Ring:
    """The next island, and from the last one the first."""

    def targets(self, source: int, islands: int, rng: np.random.Generator) -> list[int]:
        return [(source + 1) % islands] if islands > 1 else []


class Star:
    """Island 0 is the hub: it sends to all others, and they send to it."""

    def targets(self, source: int, islands: int, rng: np.random.Generator) -> list[int]:
        return [0] if source else list(range(1, islands))


class Full:
    """Every other island."""

    def targets(self, source: int, islands: int, rng: np.random.Generator) -> list[int]:
        return [target for target in range(islands) if target != source]


class Random:
    """One other island, drawn anew each time."""

    def targets(self, source: int, islands: int, rng: np.random.Generator) -> list[int]:
        return [int((source + rng.integers(1, islands)) % islands)] if islands > 1 else []


TOPOLOGIES: dict[TopologyName, Topology] = {"ring": Ring(), "star": Star(), "full": Full(), "random": Random()}
