"""What a run teaches those who go on with it: pure functions of its state, in words and data for a brief."""

from __future__ import annotations

from ...archive import RunState
from .lessons import lessons
from .lineage import Lineage, lineage
from .steps import Step
from .successes import Success, successes

__all__ = ["Lineage", "Step", "Success", "insights", "lessons", "lineage", "successes"]


def insights(state: RunState, island: int, program: str) -> tuple[str, ...]:
    """Sentences for ``Brief.insights``: the way of the program and onwards, then the lessons of its island."""
    return (*lineage(state, program).lines(), *lessons(state, island))
