"""A run as it is read: folded from its journal step by step, while the run goes on or after it."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...archive import AddStatus, Dropped, Evaluated, Event, Journal, JournalError, Proposed, Remeasured, RunState
from ...archive.events import decode
from ...archive.journal import PAGE, Row
from ...archive.state import Additions
from ...evaluators import Evaluation, State
from .course import Course

PAGES_KEPT = 8


@dataclass(slots=True)
class Entry:
    """One program in the table of programs. ``state`` is None while it is evaluated."""

    program: str
    index: int
    island: int
    operator: str
    detail: str
    proposer: str
    parent: str | None
    at: float
    state: State | None = None
    score: float | None = None
    low: float | None = None
    high: float | None = None
    size: int = 0
    """Characters of the source."""
    statuses: tuple[AddStatus, ...] = ()
    """What the islands answered, one each."""
    dropped: str = ""
    """Why it was not evaluated after all: it does what another program does."""

    def scored(self, evaluation: Evaluation) -> None:
        self.state, self.score = evaluation.state, evaluation.score
        interval = evaluation.interval
        self.low, self.high = (None, None) if interval is None else (interval.low, interval.high)

    @property
    def elite(self) -> bool:
        """Whether it entered an island when it was evaluated."""
        return any(status is not AddStatus.REJECTED for status in self.statuses)


@dataclass(slots=True)
class Log:
    """Kind and time of every event; event number ``n`` is at ``n - 1``."""

    kinds: list[str] = field(default_factory=list)
    times: array[float] = field(default_factory=lambda: array("d"))

    def __len__(self) -> int:
        return len(self.kinds)


class RunReader:
    """Reads a journal and nothing else. It holds no transaction between steps, so it never blocks the writer.

    Raises: JournalError where there is no run, or another version wrote it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state = RunState()
        self.course = Course()
        self.log = Log()
        self.entries: dict[str, Entry] = {}
        """By program, in the order in which they were proposed."""
        self.replies: dict[int, list[int]] = {}
        """Numbers of the events that hold a model's answers, by index of the proposal."""
        self.repeats: set[int] = set()
        """Numbers of the events that drop a program which had been proposed."""
        self.revision = 0
        """Rises whenever something was read."""
        self._journal = Journal.open(directory, readonly=True)
        self._pages: OrderedDict[int, list[Row]] = OrderedDict()

    def close(self) -> None:
        self._journal.close()

    def step(self, limit: int = PAGE) -> int:
        """Fold up to so many further events; returns how many there were. Raises: JournalError."""
        count = 0
        for row in itertools.islice(self._journal.rows(len(self.log)), limit):
            self._read(row)
            count += 1
        self.revision += bool(count)
        return count

    def _read(self, row: Row) -> None:
        self.log.kinds.append(row.kind)
        self.log.times.append(row.at)
        self.course.tick(row.at, row.kind in ("resumed", "joined"))
        if row.kind != "added":  # changes no state
            self._fold(row, self._decoded(row))

    def _decoded(self, row: Row) -> Event:
        try:
            return decode(row.payload)
        except ValueError:
            raise JournalError(
                f"event {row.seq} of {self.directory} cannot be read: 'speciate verify {self.directory}' says more"
            ) from None

    def _fold(self, row: Row, event: Event) -> None:
        proposed = self.state.pending.get(event.index) if isinstance(event, Evaluated | Dropped) else None
        answers = self.state.apply(event)
        if row.kind == "replied":
            self.replies.setdefault(json.loads(row.payload)["index"], []).append(row.seq)
        match event:
            case Proposed():
                self.entries.setdefault(event.program, _entry(event, row.at))
            case Dropped():
                self.course.dropped(event)
                if proposed is not None:
                    self.repeats.add(row.seq)
                    self.entries[proposed.program].dropped = event.reason
            case Evaluated() if proposed is not None:
                self._evaluated(event, proposed, answers)
            case Remeasured():
                self.entries[event.elite].scored(self.state.evaluation_of(event.elite))
                self.course.note(self.state)

    def _evaluated(self, event: Evaluated, proposed: Proposed, answers: Additions) -> None:
        statuses = [answer.status for _, answer in answers]
        entry = self.entries[proposed.program]
        entry.scored(event.evaluation)
        entry.statuses = tuple(statuses)
        self.course.evaluated(event, proposed, statuses, self.state)

    def row(self, number: int) -> Row:
        """Event ``number`` (from 1) as the journal holds it. Raises: LookupError where there is none."""
        first = (number - 1) // PAGE * PAGE
        page = self._pages.get(first, [])
        if number - 1 - first >= len(page):
            page = list(itertools.islice(self._journal.rows(first), PAGE))
            self._pages[first] = page
            if len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        return page[number - 1 - first]

    def event(self, number: int) -> Event:
        """Raises: LookupError; JournalError."""
        return self._decoded(self.row(number))

    def containing(self, text: str) -> list[int]:
        """Numbers of the events whose text holds ``text``, in any case of letters."""
        wanted = text.casefold()
        rows = itertools.islice(self._journal.rows(), len(self.log))
        return [row.seq for row in rows if wanted in row.payload.casefold() or wanted in row.kind]


def _entry(event: Proposed, at: float) -> Entry:
    return Entry(
        program=event.program,
        index=event.index,
        island=event.island,
        operator=event.operator,
        detail=event.detail,
        proposer=event.proposer,
        parent=event.parents[0] if event.parents else None,
        at=at,
        size=sum(map(len, event.files.values())),
    )


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Read much at once without the collector, which would look again and again through all that was read before."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
