"""Recorder: what happens is written, folded and told, in this order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..archive import Event, Journal, RunState
from .budget import Budget


class Observer(Protocol):
    """Told of every event after it is in the journal."""

    def notify(self, event: Event, state: RunState, budget: Budget) -> None: ...


class Recorder:
    """The only writer of a journal during a search."""

    def __init__(self, journal: Journal, state: RunState, budget: Budget, observers: Sequence[Observer]) -> None:
        self._journal = journal
        self._state = state
        self._budget = budget
        self._observers = observers

    def record(self, *events: Event) -> None:
        """Write events, in one transaction, and fold them."""
        self._journal.append(*events)
        for event in events:
            self._state.apply(event)
            self._tell(event)

    def record_folded(self, *events: Event) -> None:
        """Write in one transaction what was folded already, since each event follows from those before it."""
        self._journal.append(*events)
        for event in events:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        for observer in self._observers:
            observer.notify(event, self._state, self._budget)
