"""Ranking: programs by what they are worth."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from ..evaluators import Evaluation, State


def worth(evaluation: Evaluation, clocked: bool) -> float | None:
    """The score; of a clocked task the lower end of its interval, or the luckiest of many programs would lead (R49).

    None for what does not compare: not VALID, or without a finite score.
    """
    value = evaluation.score
    if clocked and evaluation.interval is not None:
        value = evaluation.interval.low
    return value if evaluation.state is State.VALID and value is not None and math.isfinite(value) else None


@dataclass(slots=True)
class Ranking:
    """``leader`` is the program worth most; of equals the smaller one, then the earlier."""

    leader: str | None = None
    _worth: dict[str, float] = field(default_factory=dict)
    """In the order of evaluation."""
    _size: int | None = field(default=None, compare=False)
    """The leader's, once it was asked for."""

    def put(self, program: str, value: float | None, size: Callable[[str], int]) -> None:
        """Rank a program, or rank it anew; ``size`` tells a program's."""
        before = self._worth.get(program)
        if value is None:
            self._worth.pop(program, None)
        else:
            self._worth[program] = value
        if program == self.leader and (value is None or before is None or value < before):
            self.leader, self._size = None, None
            for name, one in self._worth.items():
                self._challenge(name, one, size)
        elif value is not None and program != self.leader:
            self._challenge(program, value, size)

    def _challenge(self, program: str, value: float, size: Callable[[str], int]) -> None:
        if self.leader is None or value > self._worth[self.leader]:
            self.leader, self._size = program, None
        elif value == self._worth[self.leader]:
            if self._size is None:
                self._size = size(self.leader)
            if size(program) < self._size:
                self.leader, self._size = program, size(program)

    @property
    def latest(self) -> str:
        """Of the programs worth most the one ranked last. Raises: ValueError where there is none."""
        return max(reversed(self._worth), key=self._worth.__getitem__)

    def top(self, count: int) -> list[str]:
        """The ``count`` best, best first; ``leader`` leads, other equals stand in the order of evaluation."""
        return heapq.nlargest(count, self._worth, key=lambda program: (self._worth[program], program == self.leader))
