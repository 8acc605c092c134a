"""History: what happened in a run, attempt by attempt, as a fold over its journal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from ..evaluators import Evaluation, Interval, State
from .events import Dropped, Evaluated, Event, Joined, Proposed, Resumed
from .failures import Failures
from .island import AddStatus
from .journal import Journal, JournalError
from .state import GIVEN, SEED, SIMPLIFY, RunState

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One proposal and what came of it. Times are seconds of the run, its pauses left out."""

    index: int
    island: int
    proposer: str
    operator: str
    parts: tuple[str, ...]
    """Of its ``detail``: the mutations that made it."""
    model: str | None
    tokens: int
    usd: float
    cpu_seconds: float
    """Of the proposer."""
    program: str = ""
    """Empty where nothing was evaluated."""
    dropped: str | None = None
    """Why nothing was evaluated."""
    state: State | None = None
    score: float | None = None
    interval: Interval | None = None
    evaluation_cpu: float = 0.0
    at: float = 0.0
    evaluations: int = 0
    """How many programs the search has evaluated, this one included."""
    elite: bool = False
    """Whether it entered an island."""
    record: bool = False
    """Whether it became the best program of the run."""
    best: float | None = None
    """Score of the run's best program after it, and the interval of that score."""
    best_interval: Interval | None = None

    @property
    def searched(self) -> bool:
        """Whether a proposer made it: neither the baseline nor a program that was given or simplified."""
        return self.operator not in (SEED, GIVEN, SIMPLIFY)


@dataclass
class History:
    """A run's state and its attempts, in the order in which they ended."""

    directory: Path
    state: RunState = field(default_factory=RunState)
    attempts: list[Attempt] = field(default_factory=list)
    seconds: float = 0.0
    events: int = 0
    infra_cpu: float = 0.0
    """CPU seconds of evaluations that our own side failed."""
    failures: Failures = field(default_factory=Failures)
    _before: float | None = None

    def apply(self, at: float, event: Event) -> None:
        """Fold one event, written ``at`` seconds since 1970."""
        if self._before is not None and not isinstance(event, Resumed | Joined):
            self.seconds += max(0.0, at - self._before)
        self._before = at
        self.events += 1
        proposed = self.state.pending.get(event.index) if isinstance(event, Evaluated) else None
        leader = self.state.best
        added = self.state.apply(event)
        self.failures.apply(event, proposed.program if proposed else "")
        if isinstance(event, Dropped):
            self.attempts.append(_dropped(event, self.seconds))
        elif isinstance(event, Evaluated) and event.evaluation.state is State.INFRA:
            self.infra_cpu += event.evaluation.cpu_seconds
        elif isinstance(event, Evaluated) and proposed is not None:
            entered = any(answer.status is not AddStatus.REJECTED for _, answer in added)
            attempt = _evaluated(proposed, event.evaluation)
            best = self.state.best
            record = best is not None and best[0] == proposed.program and (leader is None or leader[0] != best[0])
            self.attempts.append(
                replace(
                    attempt,
                    at=self.seconds,
                    evaluations=self.state.evaluations,
                    elite=entered,
                    record=record,
                    best=best[1].score if best else None,
                    best_interval=best[1].interval if best else None,
                )
            )

    @property
    def evaluated(self) -> list[Attempt]:
        """The attempts that the search evaluated, the baseline the first."""
        return [one for one in self.attempts if one.state is not None and one.operator != SIMPLIFY]

    @property
    def chosen(self) -> tuple[str, Evaluation] | None:
        """The program that the run stands for: the certified one, else the best of the search."""
        return self.state.certified_best or self.state.best


def _parts(detail: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in detail.split("+") if part))


def _dropped(event: Dropped, at: float) -> Attempt:
    return Attempt(
        index=event.index,
        island=event.island,
        proposer=event.proposer,
        operator="",
        parts=_parts(event.detail),
        model=None,
        tokens=event.tokens,
        usd=event.usd or 0.0,
        cpu_seconds=event.cpu_seconds,
        dropped=event.reason,
        at=at,
    )


def _evaluated(proposed: Proposed, evaluation: Evaluation) -> Attempt:
    return Attempt(
        index=proposed.index,
        island=proposed.island,
        proposer=proposed.proposer,
        operator=proposed.operator,
        parts=_parts(proposed.detail),
        model=proposed.model,
        tokens=proposed.tokens,
        usd=proposed.usd or 0.0,
        cpu_seconds=proposed.cpu_seconds,
        program=proposed.program,
        state=evaluation.state,
        score=evaluation.score,
        interval=evaluation.interval,
        evaluation_cpu=evaluation.cpu_seconds,
    )


def read_history(directory: Path) -> History:
    """The history of the run in a folder, finished or not.

    Raises: JournalError where there is none, or it cannot be read.
    """
    history = read_events(directory)
    if history.state.started is None or history.state.best is None:
        raise JournalError(f"{directory} has no valid program yet: let it go on with 'speciate resume {directory}'")
    return history


def read_events(directory: Path) -> History:
    """The history as far as it goes, perhaps without a program. Raises: JournalError where there is no run."""
    history = History(directory)
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        for _, at, event in journal.events():
            history.apply(at, event)
    return history


@dataclass(frozen=True, slots=True)
class Yield:
    """What came of a sort of attempts; ``cpu_seconds`` is of proposing and evaluating together."""

    name: str
    attempts: int
    evaluated: int
    valid: int
    elites: int
    records: int
    cpu_seconds: float
    tokens: int
    usd: float

    @property
    def rate(self) -> float:
        """Elites per attempt."""
        return self.elites / self.attempts


def yields(attempts: Iterable[Attempt], names: Callable[[Attempt], Iterable[str]]) -> list[Yield]:
    """Attempts summed by each of their names, those that gave most elites first.

    An attempt with several names counts as one with each of them, so sums over the rows may exceed the run's.
    """
    groups: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        for name in names(attempt):
            groups.setdefault(name, []).append(attempt)
    found = [_summed(name, members) for name, members in groups.items()]
    return sorted(found, key=lambda one: (-one.elites, -one.records, -one.attempts, one.name))


def _summed(name: str, members: list[Attempt]) -> Yield:
    return Yield(
        name=name,
        attempts=len(members),
        evaluated=sum(one.state is not None for one in members),
        valid=sum(one.state is State.VALID for one in members),
        elites=sum(one.elite for one in members),
        records=sum(one.record for one in members),
        cpu_seconds=sum(one.cpu_seconds + one.evaluation_cpu for one in members),
        tokens=sum(one.tokens for one in members),
        usd=sum(one.usd for one in members),
    )


def yields_by_mutation(history: History) -> list[Yield]:
    """By the parts of an attempt's detail; an attempt without any counts under its operator."""
    return yields(
        (one for one in history.attempts if one.searched), lambda one: one.parts or (one.operator or "no proposal",)
    )


def yields_by_proposer(history: History) -> list[Yield]:
    """By proposer, and by model where there is one."""
    return yields(
        (one for one in history.attempts if one.searched and one.proposer),
        lambda one: (one.proposer if one.model is None else f"{one.proposer}: {one.model}",),
    )
