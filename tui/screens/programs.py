"""All programs of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from ...archive import certifies
from ...evaluators import State
from ..model.book import Book
from ..model.programs import operator_of, source_of
from ..model.reader import Entry
from ..model.words import SHORT, clean, score
from ..widgets.listing import Cell, Column, Tone
from .pane import ListPane

ELITES, NOW_ELITES, CERTIFIED = "elites", "now elites", "certified"

TONES: dict[State | None, Tone] = {State.VALID: "good", State.INFRA: "warm", State.QUARANTINED: "warm", None: "dim"}

SORTED: dict[str, Callable[[Entry], Any]] = {
    "score": lambda entry: -float("inf") if entry.score is None else entry.score,
    "lower bound": lambda entry: -float("inf") if entry.low is None else entry.low,
    "state": lambda entry: (entry.state is None, str(entry.state), entry.index),
    "operator": lambda entry: (entry.operator, entry.detail, entry.index),
    "island": lambda entry: (entry.island, entry.index),
    "size": lambda entry: entry.size,
}


def state_of(entry: Entry) -> str:
    if entry.state is not None:
        return entry.state.value
    return "repeats" if entry.dropped else "…"


class ProgramsPane(ListPane[str]):
    """A table of all programs."""

    HEADING = "programs"
    HELP = """All programs that were proposed, in the order in which they were. A star marks those that are elites now,
    C those that are certified; "repeats" is a program that does on the smoke instances what another one does, so that
    it was not evaluated. Scores: 0 is the baseline, 1 the reference (the paper's method)."""
    COLUMNS = (
        Column("#", 6, right=True),
        Column("program", SHORT),
        Column("", 2),
        Column("score", 8, right=True),
        Column("95 % interval", 17, room=74),
        Column("state", 11),
        Column("isl", 3, right=True),
        Column("operator", 6, stretch=True),
        Column("proposer", 10, room=100),
        Column("parent", SHORT, room=110),
    )
    THING = "program"
    SORTS: ClassVar[Sequence[str]] = ("order of proposal", *SORTED)

    def __init__(self, book: Book, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._book = book
        self._elites: frozenset[str] = frozenset()
        self._keys: list[str] = []

    def everything(self) -> Sequence[str]:
        entries = self._book.reader.entries
        if len(self._keys) != len(entries):
            self._keys = list(entries)
        return self._keys

    def update_view(self) -> None:
        state = self._book.reader.state
        islands = state.archipelago.islands if state.started else ()
        self._elites = frozenset(program for island in islands for program in island.elites())
        super().update_view()

    def shown(self, rows: Sequence[str]) -> None:
        self._book.order = rows

    def cells(self, key: str) -> Sequence[Cell]:
        entry = self._book.reader.entries[key]
        tone: Tone = "" if entry.state is State.VALID else "dim"
        span = "" if entry.low is None else f"[{score(entry.low)}, {score(entry.high)}]"
        return (
            Cell(str(entry.index), "dim"),
            Cell(key[:SHORT], tone),
            Cell(self._marks(key), "warm"),
            Cell(score(entry.score), "strong" if key in self._elites else tone),
            Cell(span, "dim"),
            Cell(state_of(entry), TONES.get(entry.state, "bad")),
            Cell(str(entry.island), "dim"),
            Cell(clean(operator_of(entry.operator, entry.detail)), tone),
            Cell(clean(entry.proposer), "dim"),
            Cell((entry.parent or "")[:SHORT], "dim"),
        )

    def _marks(self, key: str) -> str:
        certificate = self._book.reader.state.certificates.get(key)
        certified = "C" if certificate is not None and certifies(certificate) else ""
        return ("★" if key in self._elites else "") + certified

    def filters(self) -> Sequence[tuple[str, str]]:
        counts = self._book.reader.state.counts
        states = [(state.value, f"{state.value} ({counts[state]:,})") for state in State if counts[state]]
        return [
            (NOW_ELITES, f"elites now ({len(self._elites):,})"),
            (ELITES, "elites once"),
            (CERTIFIED, "certified"),
            *states,
        ]

    def passing(self, keys: Sequence[str]) -> Sequence[str]:
        entries, certificates = self._book.reader.entries, self._book.reader.state.certificates
        match self.filter:
            case "now elites":
                return [key for key in keys if key in self._elites]
            case "elites":
                return [key for key in keys if entries[key].elite]
            case "certified":
                return [key for key in keys if key in certificates and certifies(certificates[key])]
            case state:
                return [key for key in keys if entries[key].state == state]

    def found(self, keys: Sequence[str]) -> Sequence[str]:
        """By id, operator, proposer or source."""
        state, entries, wanted = self._book.reader.state, self._book.reader.entries, self.sought.casefold()

        def holds(key: str) -> bool:
            entry = entries[key]
            named = f"{key} {entry.operator} {entry.detail} {entry.proposer} {entry.state}"
            return wanted in named.casefold() or any(
                wanted in text.casefold() for text in state.proposals[key].files.values()
            )

        return [key for key in keys if holds(key)]

    def ordered(self, keys: Iterable[str]) -> Sequence[str]:
        """By score and bound the best come first."""
        entries, value = self._book.reader.entries, SORTED[self.order]
        best_first = self.order in ("score", "lower bound")
        return sorted(keys, key=lambda key: value(entries[key]), reverse=best_first)

    def copied(self) -> tuple[str, str] | None:
        key = self.listing.key
        return None if key is None else (f"the source of {key[:SHORT]}", source_of(self._book.reader.state, key))
