"""Archipelago: islands over one behaviour space, with migration around a ring."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..evaluators import Evaluation
from .island import AddResult, Island
from .settings import ArchiveSettings
from .space import BehaviourSpace, CVTSpace, Space

Move = tuple[str, int, int]
"""Program, source island, target island."""


@dataclass(slots=True)
class Archipelago:
    """Every ``interval`` evaluations the best elite of each island is offered to the next island.

    What is due follows from the evaluations alone and is kept until it is carried out, so that a run killed in between
    makes the same moves when it is resumed.
    """

    islands: list[Island]
    interval: int
    evaluations: int = 0
    _due: dict[Move, None] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: ArchiveSettings) -> Archipelago:
        space = make_space(settings)
        return cls([Island(space) for _ in range(settings.islands)], settings.migration_interval)

    def add(self, island: int, program_id: str, evaluation: Evaluation) -> AddResult:
        return self.islands[island].add(program_id, evaluation)

    def count(self) -> None:
        """One more program has been evaluated; at every ``interval``-th one the islands' moves become due."""
        self.evaluations += 1
        if self.evaluations % self.interval == 0:
            self._due = dict.fromkeys(self._ring())

    def _ring(self) -> list[Move]:
        """Moves of the best elites to the next island, but for those that are at home there already."""
        count = len(self.islands)
        moves = [(island.best(), source, (source + 1) % count) for source, island in enumerate(self.islands)]
        return [
            (program, source, target)
            for program, source, target in moves
            if program is not None and source != target and program not in self.islands[target].elites()
        ]

    def migrations(self) -> list[Move]:
        """The moves that are due and not yet carried out."""
        return list(self._due)

    def moved(self, program_id: str, source: int, target: int) -> None:
        """One move is carried out."""
        self._due.pop((program_id, source, target), None)

    def rescore(self, program_id: str, evaluation: Evaluation) -> None:
        """The program has another evaluation now, in all islands where it is an elite."""
        for island in self.islands:
            island.rescore(program_id, evaluation)


def make_space(settings: ArchiveSettings) -> Space:
    if settings.archive == "cvt":
        return CVTSpace(settings.descriptors, settings.centroids)
    return BehaviourSpace(settings.descriptors)
