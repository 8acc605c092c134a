"""What every program of a run must obey before it is evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..archive import MAIN
from ..evaluators import Task, check_kept, check_source


@dataclass(frozen=True, slots=True)
class Rules:
    """``baseline`` is the source whose frozen parts must stay."""

    task: Task
    baseline: str

    def violations(self, files: Mapping[str, str]) -> list[str]:
        """One line each; empty for a program that may be evaluated."""
        return check_source(self.task, files) or check_kept(self.baseline, files.get(MAIN, ""))
