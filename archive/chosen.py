"""The program that a run gives to a library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..sandbox import Backend
from .knowledge import certifies
from .state import RunState

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
    def backend(self) -> Backend:
        """What contained the programs of its run."""
        config = self.state.started.config if self.state.started else {}
        return Backend.UNSAFE if config.get("unsafe") else Backend(config.get("sandbox", Backend.BUBBLEWRAP))

    @property
    def worth(self) -> tuple[bool, float]:
        """Orders programs of one task: certified before others, then by the score that counts."""
        evaluation = self.certificate or self.evaluation
        return self.certified, evaluation.score or 0.0
