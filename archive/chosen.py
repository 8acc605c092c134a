"""The program that a run gives to a library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .state import RunState, certifies

if TYPE_CHECKING:
    from ..evaluators import Evaluation, TaskFolder


@dataclass(frozen=True)
class Chosen:
    """A program of a run, and what is known of it."""

    run: Path
    state: RunState
    folder: TaskFolder
    program: str
    evaluation: Evaluation
    certificate: Evaluation | None
    """Its score on fresh instances, which may not hold."""

    @property
    def certified(self) -> bool:
        return self.certificate is not None and certifies(self.certificate)

    @property
    def unsafe(self) -> bool:
        """Whether its run was allowed to go without a jail."""
        started = self.state.started
        return started is not None and bool(started.config.get("unsafe", False))

    @property
    def worth(self) -> tuple[bool, float]:
        """Orders programs of one task: certified before others, then by the score that counts."""
        evaluation = self.certificate or self.evaluation
        return self.certified, evaluation.score or 0.0
