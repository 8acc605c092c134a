"""The scale at the head of a report: where marks and their labels go, in percent of its width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .content import Mark

MARGIN = 0.08
"""Of the span of what is shown, left free on both sides."""

EDGE = 18.0
"""Percent from an end within which a label keeps inside."""

WIDEST = 3.0
"""Score beyond which an interval is cut off: it says no more than that nothing is known."""

SHORT = {"muted": "baseline", "best": "in the search", "fresh": "on fresh instances"}


@dataclass(frozen=True, slots=True)
class Place:
    """A mark with its place; ``low`` and ``width`` are of its interval, ``row`` is the line of its label."""

    short: str
    kind: str
    score: float
    place: float
    low: float | None
    width: float
    row: int
    side: str


def placed(marks: Sequence[Mark]) -> list[Place]:
    """Baseline and reference have their labels below the line, the programs above it in lines of their own."""
    shown = [mark.score for mark in marks]
    for mark in marks:
        if mark.interval is not None:
            shown += [max(mark.interval.low, -WIDEST + 1), min(mark.interval.high, WIDEST)]
    low, high = min(shown), max(shown)
    low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)

    def percent(score: float) -> float:
        return round(100 * (min(max(score, low), high) - low) / (high - low), 2)

    found = []
    for mark in marks:
        place = percent(mark.score)
        interval = mark.interval
        start = percent(interval.low) if interval else None
        found.append(
            Place(
                short=SHORT.get(mark.kind, mark.name),
                kind=mark.kind,
                score=mark.score,
                place=place,
                low=start,
                width=0.0 if interval is None or start is None else round(percent(interval.high) - start, 2),
                row={"best": 2, "fresh": 1}.get(mark.kind, 0),
                side="left" if place < EDGE else "right" if place > 100 - EDGE else "",
            )
        )
    return found
