"""What worked among a program's ancestors and descendants, and what did not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from ...archive import RunState
from .steps import Step, commonest, step

MOST_ANCESTORS = 6
"""Steps of the way here that are told: the largest gains."""
MOST_DESCENDANTS = 60
"""Programs made from this one, or from those, that are looked at: the nearest ones."""
MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Lineage:
    """``ancestors`` lead from the baseline to the program, ``descendants`` from it onwards, the nearest first."""

    ancestors: tuple[Step, ...]
    descendants: tuple[Step, ...]

    def lines(self) -> tuple[str, ...]:
        """A few sentences, each on one line."""
        return (*self._backward(), *self._forward())

    def _backward(self) -> Iterator[str]:
        gained = sorted((one for one in self.ancestors if one.gain), key=lambda one: -abs(one.gain or 0.0))
        told = {one.program for one in gained[:MOST_ANCESTORS]}
        steps = [str(one) for one in self.ancestors if one.program in told]
        if steps:
            yield f"What led from the baseline to this program, in {len(self.ancestors)} steps: {'; '.join(steps)}."

    def _forward(self) -> Iterator[str]:
        better, worse = _parted([one for one in self.descendants if one.gain is not None])
        failed = [one for one in self.descendants if one.gain is None]
        if self.descendants:
            counts = f"{len(better)} were better than what they changed, {len(worse)} were not, {len(failed)} failed"
            yield f"Of {len(self.descendants)} programs made from this one or its descendants, {counts}."
        if better:
            yield f"Changes after it that helped: {'; '.join(map(str, better[:MOST_TOLD]))}."
        if worse:
            yield f"Changes after it that hurt or did nothing: {'; '.join(map(str, worse[-MOST_TOLD:]))}."
        if failed:
            yield f"Failures after it: {commonest((one.state, one.failure) for one in failed)}."


def _parted(scored: list[Step]) -> tuple[list[Step], list[Step]]:
    """Those that gained and those that did not, the best first."""
    ranked = sorted(scored, key=lambda one: -(one.gain or 0.0))
    return [one for one in ranked if (one.gain or 0.0) > 0], [one for one in ranked if (one.gain or 0.0) <= 0]


def lineage(state: RunState, program: str) -> Lineage:
    """A pure function of the state. Takes time in proportion to the depth, however many programs the run has."""
    back = [step(state, name) for name in reversed(state.lineage(program))]
    onwards = [step(state, name) for name in _descendants(state, program)]
    return Lineage(tuple(one for one in back if one), tuple(one for one in onwards if one))


def _descendants(state: RunState, program: str) -> list[str]:
    found: dict[str, None] = {program: None}
    waiting = deque([program])
    while waiting and len(found) <= MOST_DESCENDANTS:
        for child in reversed(state.children(waiting.popleft())):
            if child not in found:
                found[child] = None
                waiting.append(child)
    return list(found)[1 : MOST_DESCENDANTS + 1]
