"""Archipelago: islands with migration, resets of the weaker ones, and growth when the search stagnates."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from ..evaluators import Evaluation
from .island import AddResult, Island
from .settings import ArchiveSettings
from .space import BehaviourSpace, CVTSpace, NoveltySpace, Space
from .topology import TOPOLOGIES

MoveKind = Literal["migrated", "island_reset", "island_added"]


class Move(NamedTuple):
    """The program, an elite of island ``source``, goes to island ``target``: as it is, emptied before, or new."""

    kind: MoveKind
    program: str
    source: int
    target: int


@dataclass(slots=True)
class Archipelago:
    """What moves between islands follows from the evaluations and the run's seed alone.

    Moves stay due until they are carried out, so that a run killed in between makes the same moves when it is resumed.
    """

    settings: ArchiveSettings
    seed: int
    islands: list[Island]
    evaluations: int = 0
    _top: float = -math.inf
    """The best score so far."""
    _progress: int = 0
    """Number of evaluations when the best score last rose or an island was added."""
    _due: dict[Move, None] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: ArchiveSettings, seed: int) -> Archipelago:
        return cls(settings, seed, [Island(make_space(settings, island)) for island in range(settings.islands)])

    def extend(self, count: int) -> list[int]:
        """So many new islands, empty. Returns their numbers."""
        first = len(self.islands)
        added = list(range(first, first + count))
        self.islands += [Island(make_space(self.settings, island)) for island in added]
        return added

    def add(self, island: int, program_id: str, evaluation: Evaluation) -> AddResult:
        return self.islands[island].add(program_id, evaluation)

    def count(self) -> None:
        """One more program has been evaluated; find out which moves are due now."""
        self.evaluations += 1
        top = max(map(_strength, self.islands))
        if top > self._top:
            self._top, self._progress = top, self.evaluations
        settings = self.settings
        due: list[Move] = []
        if self.evaluations % settings.migration_interval == 0:
            due += self._migrations()
        if settings.reset_interval is not None and self.evaluations % settings.reset_interval == 0:
            due += self._resets()
        if self._stagnates():
            due += self._growth()
        if due:
            self._due = dict.fromkeys(due)

    def _rng(self, purpose: MoveKind) -> np.random.Generator:
        return np.random.default_rng((self.seed, self.evaluations, *purpose.encode()))

    def _migrations(self) -> list[Move]:
        """The best elite of each island goes along the topology, but to islands where it is an elite already."""
        rng = self._rng("migrated")
        topology = TOPOLOGIES[self.settings.topology]
        return [
            Move("migrated", program, source, target)
            for source, island in enumerate(self.islands)
            if (program := island.best()) is not None
            for target in topology.targets(source, len(self.islands), rng)
            if program not in self.islands[target].elites()
        ]

    def _resets(self) -> list[Move]:
        """The weaker half of the islands is emptied, each re-seeded with the best elite of a surviving one.

        FunSearch (Romera-Paredes et al. 2024). Of equal islands the later one is the weaker.
        """
        rng = self._rng("island_reset")
        ranked = sorted(range(len(self.islands)), key=lambda i: (_strength(self.islands[i]), -i))
        half = len(ranked) // 2
        moves: list[Move] = []
        for target in ranked[:half]:
            source = ranked[half + int(rng.integers(len(ranked) - half))]
            founder = self.islands[source].best()
            if founder is not None:
                moves.append(Move("island_reset", founder, source, target))
        return moves

    def _stagnates(self) -> bool:
        patience = self.settings.stagnation
        return (
            patience is not None
            and len(self.islands) < self.settings.max_islands
            and self.evaluations - self._progress >= patience
        )

    def _growth(self) -> list[Move]:
        """A further island, seeded with any elite of any island: what is best already had its chance."""
        rng = self._rng("island_added")
        source = int(rng.integers(len(self.islands)))
        elites = self.islands[source].elites()
        if not elites:
            return []
        return [Move("island_added", elites[int(rng.integers(len(elites)))], source, len(self.islands))]

    def due(self) -> list[Move]:
        """The moves that are not yet carried out, in their order."""
        return list(self._due)

    def carry_out(self, move: Move) -> None:
        """Take a due move off the list and make its target ready. Raises: LookupError for one that is not due."""
        if move not in self._due:
            raise LookupError(f"move of {move.program[:12]} from island {move.source} to {move.target}")
        del self._due[move]
        if move.kind == "island_reset":
            self.islands[move.target] = Island(make_space(self.settings, move.target))
        elif move.kind == "island_added":
            self.islands.append(Island(make_space(self.settings, move.target)))
            self._progress = self.evaluations

    def rescore(self, program_id: str, evaluation: Evaluation) -> None:
        """The program has another evaluation now, in all islands where it is an elite."""
        for island in self.islands:
            island.rescore(program_id, evaluation)


def _strength(island: Island) -> float:
    return -math.inf if island.top is None else island.top


def make_space(settings: ArchiveSettings, island: int) -> Space:
    """The behaviour space of one island."""
    axes = settings.axes_of(island)
    descriptors = [settings.descriptors[axis] for axis in axes]
    if settings.archive == "cvt":
        return CVTSpace(descriptors, [[centroid[axis] for axis in axes] for centroid in settings.centroids])
    if settings.archive == "unstructured":
        return NoveltySpace(descriptors, settings.novelty, settings.neighbours)
    return BehaviourSpace(descriptors)
