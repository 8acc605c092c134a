"""Island: the best program of each cell of a behaviour space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ..evaluators import Evaluation, State
from .space import Cell, Space


class AddStatus(StrEnum):
    NEW = "new"
    IMPROVED = "improved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class AddResult:
    """What an island answered to a program.

    ``improvement`` is the gain in score over the elite that was displaced and only exists where one was.
    """

    status: AddStatus
    improvement: float | None = None
    reason: str = ""
    displaced: str | None = None


@dataclass(frozen=True, slots=True)
class Elite:
    program: str
    score: float


@dataclass(frozen=True, slots=True)
class Stats:
    """Quality and diversity of an island, as Chatzilygeroudis et al. (2021) and pyribs define them.

    ``qd_score`` sums the scores of the elites above 0. Scores have no lower bound, so there is no minimum to offset
    by; the baseline's 0 takes its place, and an elite below the baseline adds nothing.
    """

    elites: int
    coverage: float
    qd_score: float
    norm_qd_score: float
    best: float | None
    mean: float | None


@dataclass(slots=True)
class Island:
    """Keeps one elite per cell. Only VALID programs with a finite score and finite descriptors enter.

    Pyribs' GridArchive does the same for batches of arrays; its import pulls in torch and numba (4 s, 380 MB), while a
    run adds one program at a time. Tests hold the two equal.
    """

    space: Space = field(compare=False)
    elites_by_cell: dict[Cell, Elite] = field(default_factory=dict)
    _best: Elite | None = None
    _listed: list[str] | None = field(default=None, compare=False, repr=False)

    def add(self, program_id: str, evaluation: Evaluation) -> AddResult:
        """A strictly better score displaces the elite of the program's cell; an equal one does not."""
        answer = self.answer(evaluation)
        cell = self.space.cell(evaluation.descriptors)
        if answer.status is not AddStatus.REJECTED and cell is not None and evaluation.score is not None:
            self.space.keep(cell, evaluation.descriptors)
            self._keep(cell, Elite(program_id, evaluation.score))
        return answer

    def answer(self, evaluation: Evaluation) -> AddResult:
        """What ``add`` would say; nothing changes."""
        score = evaluation.score
        if evaluation.state is not State.VALID:
            return AddResult(AddStatus.REJECTED, reason=evaluation.state.value)
        if score is None or not math.isfinite(score):
            return AddResult(AddStatus.REJECTED, reason="the score is missing or not finite")
        cell = self.space.cell(evaluation.descriptors)
        if cell is None:
            return AddResult(AddStatus.REJECTED, reason="a descriptor is missing or not finite")
        elite = self.elites_by_cell.get(cell)
        if elite is not None and not score > elite.score:
            return AddResult(AddStatus.REJECTED, reason=f"not better than the elite {elite.program[:12]} of its cell")
        if elite is None:
            return AddResult(AddStatus.NEW)
        return AddResult(AddStatus.IMPROVED, improvement=score - elite.score, displaced=elite.program)

    def _keep(self, cell: Cell, elite: Elite) -> None:
        self.elites_by_cell[cell] = elite
        self._listed = None
        if self._best is None or elite.score > self._best.score:
            self._best = elite

    def occupant(self, evaluation: Evaluation) -> Elite | None:
        """The elite of the cell that an evaluation falls into."""
        cell = self.space.cell(evaluation.descriptors)
        return None if cell is None else self.elites_by_cell.get(cell)

    def rescore(self, program_id: str, evaluation: Evaluation) -> None:
        """The elite keeps its cell with its new score, and leaves it where it is no longer VALID.

        The last elite of an island stays in any case: there must be something to vary.
        """
        held = [cell for cell, elite in self.elites_by_cell.items() if elite.program == program_id]
        for cell in held:
            if evaluation.state is State.VALID and evaluation.score is not None:
                self.elites_by_cell[cell] = Elite(program_id, evaluation.score)
            elif len(self.elites_by_cell) > 1:
                del self.elites_by_cell[cell]
        if held:
            self._listed = None
            self._best = max(self.elites_by_cell.values(), key=lambda elite: elite.score, default=None)

    def elites(self) -> list[str]:
        """Programs, one per filled cell, in the order in which the cells were first filled. Do not change the list."""
        if self._listed is None:
            self._listed = [elite.program for elite in self.elites_by_cell.values()]
        return self._listed

    def best(self) -> str | None:
        """The program with the highest score, the earliest of equals."""
        return self._best.program if self._best else None

    @property
    def top(self) -> float | None:
        """The highest score."""
        return self._best.score if self._best else None

    def stats(self) -> Stats:
        scores = [elite.score for elite in self.elites_by_cell.values()]
        quality = _total([max(score, 0.0) for score in scores])
        return Stats(
            elites=len(scores),
            coverage=len(scores) / self.space.cells,
            qd_score=quality,
            norm_qd_score=quality / self.space.cells,
            best=self.top,
            mean=_total(scores) / len(scores) if scores else None,
        )


def _total(values: Sequence[float]) -> float:
    """The exact sum; infinite where it is too large, which programs that score very badly can bring about."""
    try:
        return math.fsum(values)
    except OverflowError:
        return sum(values)
