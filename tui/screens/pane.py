"""What every view of a screen can do: be updated, searched, filtered, sorted, copied and exported."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from ..model.programs import as_csv
from ..model.words import plural
from ..widgets.listing import Cell, Column, Listing

Key = TypeVar("Key", bound=Hashable)

EVERYTHING = ""
"""The filter that lets all rows through."""


class Pane(Vertical):
    """One view. What it cannot do, its screen does not offer."""

    ABILITIES: ClassVar[frozenset[str]] = frozenset()
    """Of ``search``, ``filter``, ``sort``, ``copy`` and ``export``."""
    HEADING: ClassVar[str] = ""
    DEFAULT_CSS = """
    Pane { height: 1fr; }
    """

    def update_view(self) -> None:
        """Show what is known now."""

    def arrive(self) -> None:
        """The view has come to the front."""

    def copied(self) -> tuple[str, str] | None:
        """(what, text) for the clipboard, or None where there is nothing."""
        return None

    def exported(self) -> tuple[str, str] | None:
        """(file name, text), or None where there is nothing."""
        return None


class ListPane(Pane, Generic[Key]):
    """A view that is a table: rows of one kind of key."""

    ABILITIES = frozenset({"search", "filter", "sort", "copy", "export"})
    COLUMNS: ClassVar[Sequence[Column]] = ()
    THING: ClassVar[str] = "row"
    """What a row is, for the line below the table."""
    SORTS: ClassVar[Sequence[str]] = ()
    """Names of what can be sorted by; the first is the order in which the rows came."""
    DEFAULT_CSS = """
    ListPane .count { height: 1; padding: 0 1; color: $foreground 60%; background: $panel; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sought = ""
        self.filter = EVERYTHING
        self.order = self.SORTS[0] if self.SORTS else ""
        self.descending = False

    def compose(self) -> ComposeResult:
        yield Listing(self.COLUMNS, self.cells, id="table")
        yield Static(classes="count", markup=False)

    @property
    def listing(self) -> Listing[Any]:
        return self.query_one("#table", Listing)

    def everything(self) -> Sequence[Key]:
        """All rows, in the order in which they came."""
        raise NotImplementedError

    def cells(self, key: Key) -> Sequence[Cell]:
        raise NotImplementedError

    def filters(self) -> Sequence[tuple[str, str]]:
        """(name, what is shown of it) of each filter but that for everything."""
        return ()

    def passing(self, keys: Sequence[Key]) -> Sequence[Key]:
        """Those that the filter lets through; only called with a filter."""
        return keys

    def found(self, keys: Sequence[Key]) -> Sequence[Key]:
        """Those that the search text is found in; only called with one."""
        wanted = self.sought.casefold()
        return [key for key in keys if wanted in " ".join(cell.text for cell in self.cells(key)).casefold()]

    def ordered(self, keys: Iterable[Key]) -> Sequence[Key]:
        """Sorted by ``order``, ascending; only called where that is not the order in which they came."""
        return list(keys)

    def rows(self) -> Sequence[Key]:
        keys = self.everything()
        if self.filter != EVERYTHING:
            keys = self.passing(keys)
        if self.sought:
            keys = self.found(keys)
        if self.SORTS and self.order != self.SORTS[0]:
            keys = self.ordered(keys)
        return keys[::-1] if self.descending else keys

    def update_view(self) -> None:
        self._show(None)

    def _show(self, goto: Key | None) -> None:
        rows = self.rows()
        self.listing.show(rows, goto)
        self.query_one(".count", Static).update(self._counted(len(rows)))
        self.shown(rows)

    def shown(self, rows: Sequence[Key]) -> None:
        """Told of the rows that are shown now."""

    def _counted(self, shown: int) -> str:
        count = len(self.everything())
        parts = [plural(count, self.THING) if shown == count else f"{shown:,} of {plural(count, self.THING)}"]
        if self.filter != EVERYTHING:
            parts.append(dict(self.filters()).get(self.filter, self.filter))
        if self.sought:
            parts.append(f"with “{self.sought}”")
        if self.SORTS:
            parts.append(f"by {self.order}{', reversed' if self.descending else ''}")
        return " · ".join(parts)

    def search(self, text: str) -> None:
        self.sought = text
        self.update_view()

    def choose_filter(self, name: str) -> None:
        self.filter = name
        self.update_view()

    def sort(self, name: str) -> None:
        self.order = name
        self.update_view()

    def reverse(self) -> None:
        self.descending = not self.descending
        self.update_view()

    def arrive(self) -> None:
        self.listing.focus()

    def exported(self) -> tuple[str, str] | None:
        """The rows that are shown, as CSV."""
        header = [column.name for column in self.COLUMNS]
        texts = self.listing.cell_texts
        return f"{self.THING}s.csv", as_csv(header, [texts(key) for key in self.listing.keys])
