"""Verification: a journal is complete, unchanged, and its replay answers as the live run did."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from .events import Added, Evaluated, Event, Proposed, RunStarted, decode
from .island import AddResult
from .journal import Journal, JournalError, Row, link
from .program import Program
from .state import RunState


@dataclass(frozen=True, slots=True)
class Report:
    """What ``verify`` found; ``problems`` holds one line each."""

    events: int
    evaluations: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


def verify(journal: Journal) -> Report:
    """Check a journal: no gaps, chained hashes, ids of programs, order of events, the islands' answers."""
    check = _Check()
    try:
        for row in journal.rows():
            check.row(row)
    except JournalError as error:
        check.problems.append(str(error))
    check.end()
    return Report(check.events, check.state.evaluations, tuple(check.problems))


class _Check:
    """One pass over the rows, with a replay beside it."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.state = RunState()
        self.events = 0
        self._seq = 0
        self._chain = ""
        self._expected: deque[tuple[int, int, AddResult]] = deque()

    def row(self, row: Row) -> None:
        self.events += 1
        if row.seq != self._seq + 1:
            self._problem(row.seq, f"event {self._seq + 1} is missing")
        elif row.chain != link(self._chain, row.at, row.kind, row.payload):
            self._problem(row.seq, "its text is not the one that was written")
        self._seq, self._chain = row.seq, row.chain
        try:
            event = decode(row.payload)
        except ValueError:
            self._problem(row.seq, "cannot be read as an event of this version")
            return
        if event.kind != row.kind:
            self._problem(row.seq, f"is filed as {row.kind} and says {event.kind}")
        self._event(row.seq, event)

    def _event(self, seq: int, event: Event) -> None:
        if isinstance(event, RunStarted) is not (seq == 1):
            self._problem(seq, "a journal begins with the start of its run, and only once")
        if isinstance(event, Added):
            self._added(seq, event)
        else:
            self.end()
        if isinstance(event, Proposed):
            self._proposed(seq, event)
        try:
            answers = self.state.apply(event)
        except JournalError as error:
            self._problem(seq, f"cannot follow those before it: {error}")
            return
        if isinstance(event, Evaluated):
            self._expected = deque((event.index, island, answer) for island, answer in answers)

    def _proposed(self, seq: int, event: Proposed) -> None:
        if Program(event.files).id != event.program:
            self._problem(seq, f"the text of program {event.program[:12]} does not have that hash")
        if self.state.seen(event.program):
            self._problem(seq, f"program {event.program[:12]} was proposed before")

    def _added(self, seq: int, event: Added) -> None:
        expected = self._expected.popleft() if self._expected else None
        answer = AddResult(event.status, event.improvement, event.reason, event.displaced)
        if expected != (event.index, event.island, answer):
            self._problem(seq, f"island {event.island} answers {expected and expected[2]} to the replay, not {answer}")

    def end(self) -> None:
        """Called where no further answers can come."""
        for index, island, _ in self._expected:
            self._problem(self._seq, f"the answer of island {island} to evaluation {index} is missing")
        self._expected.clear()

    def _problem(self, seq: int, text: str) -> None:
        self.problems.append(f"event {seq}: {text}")
