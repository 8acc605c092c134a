"""Recorder: what happens is folded and written in turns, then told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from ..archive import Event, Journal, JournalError, RunState
from ..archive.state import Additions
from .budget import Budget

MOST_SECONDS = 0.02
"""How long a turn lasts, in which other conductors wait."""

POST_SECONDS = 0.005
"""How long what came in beside the loop may wait for others of its kind."""


class Observer(Protocol):
    """Told of every event after it is in the journal; ``state`` and ``budget`` may be ahead of it."""

    def notify(self, event: Event, state: RunState, budget: Budget) -> None: ...


class Recorder:
    """The only writer of a journal in this process.

    A turn begins with what other conductors have written meanwhile, is folded event by event, and is written in one
    transaction. Events that belong together are folded without waiting in between; the loop ends the turn before it
    waits for anything, so that a turn lasts as long as there is something to do, up to ``MOST_SECONDS``.
    """

    def __init__(self, journal: Journal, state: RunState, budget: Budget, observers: Sequence[Observer] = ()) -> None:
        self._journal = journal
        self._state = state
        self._budget = budget
        self._observers = observers
        self._began: float | None = None
        self._broken = False
        """Whether something was folded and not written: nothing may be written after it."""
        self._told: list[Event] = []
        self._unwritten: list[Event] = []
        self._posted: list[Event] = []

    def begin(self) -> None:
        """Begin a turn, or go on with the one that is open. Raises: JournalError."""
        if self._broken:
            raise JournalError(
                f"not all was written to the journal of {self._journal.directory}: go on with "
                f"'speciate resume {self._journal.directory}'"
            )
        if self._began is None:
            self._open()
        posted, self._posted = self._posted, []
        for event in posted:
            self.fold(event)

    def _open(self) -> None:
        news = self._journal.begin()
        self._began = time.monotonic()
        before = self._budget.of_state(self._state)
        for event in news:
            self._state.apply(event)
        self._told += news
        if news:
            self._budget.others(before, self._budget.of_state(self._state))

    def fold(self, event: Event) -> Additions:
        """Fold an event of the open turn. Returns what the islands answered."""
        self._unwritten.append(event)
        self._broken = True
        answers = self._state.apply(event)
        self._broken = False
        return answers

    def record(self, *events: Event) -> None:
        """Fold events, in a turn."""
        self.begin()
        for event in events:
            self.fold(event)

    def told(self, *events: Event) -> None:
        """Write with the open turn what changes no state."""
        self._unwritten += events

    def post(self, event: Event) -> None:
        """Record an event that came in beside the loop, in the next turn: at once, or a moment later with others."""
        self._posted.append(event)
        if len(self._posted) == 1:
            asyncio.get_running_loop().call_later(POST_SECONDS, self._collect)

    def _collect(self) -> None:
        if self._posted:
            self.begin()
            self.commit()

    @property
    def tired(self) -> bool:
        """Whether the turn lasts long enough."""
        return self._began is not None and time.monotonic() - self._began > MOST_SECONDS

    def commit(self) -> None:
        """End the turn: write it, and tell the observers. Raises: JournalError."""
        if self._began is None or self._broken:
            return
        self._broken = True
        self._journal.commit(*self._unwritten)
        told, self._told, self._unwritten, self._began = [*self._told, *self._unwritten], [], [], None
        self._broken = False
        for event in told:
            for observer in self._observers:
                observer.notify(event, self._state, self._budget)

    def record_now(self, *events: Event) -> None:
        """Record events and end the turn."""
        self.record(*events)
        self.commit()

    def close(self) -> None:
        """Write what is left, where that is possible."""
        if not self._broken:
            self.begin()
            self.commit()
