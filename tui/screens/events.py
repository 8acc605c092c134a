"""Everything that the journal holds, and of it the proposals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from ...archive import Dropped, Proposed
from ..model.book import Book
from ..model.programs import operator_of
from ..model.reader import RunReader
from ..model.told import in_full, reply, told
from ..model.words import SHORT, clean, clock, duration, score
from ..widgets.listing import Cell, Column, Listing, Tone
from ..widgets.paper import Paper, numbered
from .messages import OpenProgram
from .pane import ListPane

PROPOSALS = ("proposed", "dropped")

TONES: dict[str, Tone] = {"evaluated": "good", "dropped": "bad", "certified": "warm", "added": "dim"}


class JournalPane(ListPane[int]):
    """Events by their number, and below or beside them the one under the cursor in full."""

    DEFAULT_CSS = """
    JournalPane {
        #split { height: 1fr; layout: vertical; }
        Paper { height: 2fr; border-top: hkey $foreground 15%; }
        Listing { height: 3fr; }
    }
    """

    def __init__(self, book: Book, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._book = book

    @property
    def _reader(self) -> RunReader:
        return self._book.reader

    def compose(self) -> ComposeResult:
        with Container(id="split"):
            yield Listing(self.COLUMNS, self.cells, id="table")
            yield Paper()
        yield Static(classes="count", markup=False)

    def found(self, keys: Sequence[int]) -> Sequence[int]:
        """In the whole event, its program's source too."""
        matching = set(self._reader.containing(self.sought))
        return [key for key in keys if key in matching]

    def on_listing_highlighted(self, event: Listing.Highlighted) -> None:
        paper = self.query_one(Paper)
        if isinstance(event.key, int):
            paper.show(self.in_full(event.key), wrapped=True)
        else:
            paper.show(Content(""))

    def on_listing_selected(self, event: Listing.Selected) -> None:
        if not isinstance(event.key, int):
            return
        program = self._program(event.key)
        if program is None:
            self.notify("no program belongs to this event")
        else:
            self.post_message(OpenProgram(program))

    def _program(self, key: int) -> str | None:
        """The program that an event is about."""
        event = self._reader.event(key)
        program = getattr(event, "program", None)
        if program is None and hasattr(event, "index"):
            index = getattr(event, "index", None)
            entries = self._reader.entries.values()
            program = next((entry.program for entry in entries if entry.index == index), None)
        return program if program in self._reader.entries else None

    def in_full(self, key: int) -> Content:
        return numbered(in_full(self._reader.row(key).payload), "json", numbers=False)

    def copied(self) -> tuple[str, str] | None:
        key = self.listing.key
        return None if key is None else (f"event {key}", self.in_full(key).plain)


class EventsPane(JournalPane):
    """All events."""

    HEADING = "events"
    HELP = """The journal: every event of the run, in order. f shows the events of one kind, / finds any text in them,
    enter opens the program that an event is about. On the last line the cursor stays with the newest event."""
    COLUMNS = (
        Column("#", 7, right=True),
        Column("time", 8),
        Column("kind", 12),
        Column("what", 10, stretch=True),
    )
    THING = "event"
    SORTS = ("order in the journal",)

    def everything(self) -> Sequence[int]:
        return range(1, len(self._reader.log) + 1)

    def cells(self, key: int) -> Sequence[Cell]:
        log = self._reader.log
        kind = log.kinds[key - 1]
        return (
            Cell(str(key), "dim"),
            Cell(clock(log.times[key - 1]), "dim"),
            Cell(kind, TONES.get(kind, "")),
            Cell(told(self._reader.event(key)), "dim" if kind == "added" else ""),
        )

    def filters(self) -> Sequence[tuple[str, str]]:
        counts = Counter(self._reader.log.kinds)
        return [(kind, f"{kind} ({count:,})") for kind, count in counts.most_common()]

    def passing(self, keys: Sequence[int]) -> Sequence[int]:
        kinds = self._reader.log.kinds
        return [key for key in keys if kinds[key - 1] == self.filter]


class ProposalsPane(JournalPane):
    """Who proposed what, and what came of it."""

    HEADING = "proposals"
    HELP = """Every proposal, also those that led to no evaluation: who made it and how, what it cost, its rationale and
    what became of it. Enter opens the program."""
    COLUMNS = (
        Column("#", 6, right=True),
        Column("program", SHORT),
        Column("proposer", 10),
        Column("operator", 10, stretch=True),
        Column("model", 14, room=100),
        Column("tokens", 7, right=True, room=90),
        Column("cpu", 7, right=True),
        Column("outcome", 18),
    )
    THING = "proposal"
    SORTS: ClassVar[Sequence[str]] = ("order of proposal",)

    def __init__(self, book: Book, *, id: str | None = None) -> None:
        super().__init__(book, id=id)
        self._numbers: list[int] = []
        self._seen = 0

    def everything(self) -> Sequence[int]:
        kinds, repeats = self._reader.log.kinds, self._reader.repeats
        self._numbers += [
            n + 1 for n in range(self._seen, len(kinds)) if kinds[n] in PROPOSALS and n + 1 not in repeats
        ]
        self._seen = len(kinds)
        return self._numbers

    def cells(self, key: int) -> Sequence[Cell]:
        event = self._reader.event(key)
        assert isinstance(event, Proposed | Dropped)
        dropped = isinstance(event, Dropped)
        tone: Tone = "dim" if dropped else ""
        operator = event.detail if isinstance(event, Dropped) else operator_of(event.operator, event.detail)
        return (
            Cell(str(event.index), "dim"),
            Cell("" if isinstance(event, Dropped) else event.program[:SHORT], tone),
            Cell(clean(event.proposer), tone),
            Cell(clean(operator), tone),
            Cell("" if isinstance(event, Dropped) else clean(event.model or ""), "dim"),
            Cell(f"{event.tokens:,}" if event.tokens else "", "dim"),
            Cell(f"{event.cpu_seconds:.2f} s", "dim"),
            self._outcome(event),
        )

    def _outcome(self, event: Proposed | Dropped) -> Cell:
        if isinstance(event, Dropped):
            return Cell(clean(event.reason), "bad")
        entry = self._reader.entries[event.program]
        if entry.state is None:
            return Cell(clean(entry.dropped), "bad") if entry.dropped else Cell("in evaluation", "dim")
        if entry.score is None:
            return Cell(entry.state.value, "bad")
        return Cell(f"{score(entry.score)}{' elite' if entry.elite else ''}", "good" if entry.elite else "")

    def filters(self) -> Sequence[tuple[str, str]]:
        return [("proposed", "those that gave a program"), ("dropped", "those that gave none")]

    def passing(self, keys: Sequence[int]) -> Sequence[int]:
        kinds = self._reader.log.kinds
        return [key for key in keys if kinds[key - 1] == self.filter]

    def in_full(self, key: int) -> Content:
        event = self._reader.event(key)
        assert isinstance(event, Proposed | Dropped)
        money = "" if event.usd is None else f", ${event.usd:.4f}"
        parts = [("cost", f"{event.tokens:,} tokens{money}, {duration(event.cpu_seconds)} cpu")]
        if isinstance(event, Dropped):
            parts.insert(0, ("dropped", clean(event.reason)))
        else:
            parts += [("model", clean(event.model or "")), ("prompt", clean(event.prompt_hash or ""))]
            parts += [("parents", " ".join(parent[:SHORT] for parent in event.parents))]
            parts += [("rationale", clean(event.rationale))]
        lines = [Content.assemble((f"{name}  ", "$foreground 60%"), text) for name, text in parts if text]
        for number_ in self._reader.replies.get(event.index, ()):
            for heading, text in reply(self._reader.row(number_).payload):
                lines += [Content(""), Content.styled(heading, "bold $text-accent"), Content(text)]
        return Content("\n").join(lines)
