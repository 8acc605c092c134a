"""The course of a run: how its best score rose, how long it was at work, and what each proposer brought."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...archive import AddStatus, Dropped, Evaluated, Proposed, RunState
from ...evaluators import State

RATE_WINDOW = 50
"""Programs over which the rate is taken."""


@dataclass(frozen=True, slots=True)
class Point:
    """The best program after so many evaluations; ``seconds`` of work had passed."""

    evaluations: int
    seconds: float
    program: str
    score: float
    low: float
    high: float


@dataclass(slots=True)
class Yield:
    """What came of the proposals of one proposer, or of one of its mutations."""

    proposals: int = 0
    dropped: int = 0
    valid: int = 0
    elites: int = 0
    """Proposals that became an elite of an island."""


@dataclass(slots=True)
class Course:
    """Grows with the events of a journal."""

    points: list[Point] = field(default_factory=list)
    yields: dict[tuple[str, str], Yield] = field(default_factory=dict)
    """By proposer and mutation; the mutation is empty for the proposer as a whole."""
    evaluation_cpu: float = 0.0
    """Seconds."""
    _worked: float = 0.0
    _sitting: float | None = None
    _last: float | None = None
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=RATE_WINDOW))

    def tick(self, at: float, resumed: bool) -> None:
        """An event was written at that time; time between sittings does not count as work."""
        if self._sitting is None or resumed:
            self._worked = self.seconds
            self._sitting = at
            self._times.clear()
        self._last = at

    @property
    def seconds(self) -> float:
        """Of work over all sittings, until the last event."""
        if self._sitting is None or self._last is None:
            return self._worked
        return self._worked + self._last - self._sitting

    @property
    def last(self) -> float | None:
        """When the last event was written, in seconds since 1970."""
        return self._last

    @property
    def rate(self) -> float | None:
        """Programs per second over the last ``RATE_WINDOW`` of them, also those that failed on smoke instances; None
        before there are two."""
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return None
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def evaluated(self, event: Evaluated, proposed: Proposed, statuses: list[AddStatus], state: RunState) -> None:
        """``state`` is that after the event."""
        self.evaluation_cpu += event.evaluation.cpu_seconds
        if event.evaluation.state is State.INFRA:
            return
        if self._last is not None:
            self._times.append(self._last)
        accepted = any(status is not AddStatus.REJECTED for status in statuses)
        for one in self._yields(proposed.proposer, proposed.detail):
            one.proposals += 1
            one.valid += event.evaluation.state is State.VALID
            one.elites += accepted
        if event.evaluation.score is not None:
            self.note(state)

    def dropped(self, event: Dropped) -> None:
        for one in self._yields(event.proposer, event.detail) if event.proposer else ():
            one.proposals += 1
            one.dropped += 1

    def note(self, state: RunState) -> None:
        """Add a point where the best program, or its score, is another one now."""
        if state.best is None:
            return
        program, evaluation = state.best
        score = evaluation.score
        if score is None or (self.points and (self.points[-1].program, self.points[-1].score) == (program, score)):
            return
        interval = evaluation.interval
        low, high = (score, score) if interval is None else (interval.low, interval.high)
        self.points.append(Point(state.evaluations, self.seconds, program, score, low, high))

    def _yields(self, proposer: str, detail: str) -> Iterator[Yield]:
        """Of the proposer and of each part of a detail such as ``a+b``."""
        for part in dict.fromkeys(("", *detail.split("+"))):
            yield self.yields.setdefault((proposer, part), Yield())
