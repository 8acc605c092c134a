"""A table of any length, of which only the lines in sight are made."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

Key = TypeVar("Key", bound=Hashable)
Tone = Literal["", "dim", "good", "bad", "warm", "strong"]
STYLES = ("header", "cursor", "dim", "good", "bad", "warm", "strong")
"""Component classes: the tones of cells, and two for whole lines."""


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` in columns; the column with ``stretch`` takes what is left. One with ``room`` needs that much width."""

    name: str
    width: int
    right: bool = False
    stretch: bool = False
    room: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    tone: Tone = ""


class Listing(ScrollView, Generic[Key], can_focus=True):
    """Rows by key, in the order given; the cursor stays on its key when the rows change."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"listing--{name}" for name in STYLES}
    DEFAULT_CSS = """
    Listing {
        background: $surface;
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        & > .listing--header { color: $foreground 60%; background: $panel; }
        & > .listing--cursor { background: $block-cursor-blurred-background; text-style: bold; }
        &:focus > .listing--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        & > .listing--dim { color: $foreground 60%; }
        & > .listing--good { color: $text-success; }
        & > .listing--bad { color: $text-error; }
        & > .listing--warm { color: $text-warning; }
        & > .listing--strong { text-style: bold; }
        &:nocolor > .listing--cursor { text-style: reverse; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "edge(-1)", "First line", show=False),
        Binding("end,G", "edge(1)", "Last line", show=False),
        Binding("enter", "select", "Open", show=False),
    ]
    cursor: var[int] = var(0)

    @dataclass
    class Highlighted(Message):
        """The cursor is on another row; ``key`` is None where there are no rows."""

        listing: Listing
        key: Hashable | None

        @property
        def control(self) -> Listing:
            return self.listing

    @dataclass
    class Selected(Message):
        listing: Listing
        key: Hashable

        @property
        def control(self) -> Listing:
            return self.listing

    def __init__(
        self, columns: Sequence[Column], cells: Callable[[Key], Sequence[Cell]], *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._cells = cells
        self._keys: Sequence[Key] = ()
        self._told: Key | None = None
        self._styles: dict[str, Style] = {}

    @property
    def keys(self) -> Sequence[Key]:
        return self._keys

    @property
    def key(self) -> Key | None:
        """Of the row under the cursor."""
        return self._keys[self.cursor] if self.cursor < len(self._keys) else None

    @property
    def cell_texts(self) -> Callable[[Key], list[str]]:
        return lambda key: [cell.text for cell in self._cells(key)]

    def show(self, keys: Sequence[Key], goto: Key | None = None) -> None:
        """Show these rows. The cursor goes to ``goto``, else stays on its key, or on the last row if it was there."""
        before = goto if goto is not None else self.key
        at_end = bool(self._keys) and self.cursor == len(self._keys) - 1 and self.cursor > 0
        self._keys = keys
        self.virtual_size = Size(self.size.width, len(keys) + 1)
        place = _index(keys, before, self.cursor)
        if place is None:
            place = self.cursor
        elif goto is None and at_end and place < len(keys) - 1 and keys[place] == self._told:
            place = len(keys) - 1
        self.cursor = min(max(0, place), max(0, len(keys) - 1))
        self._tell()
        self.refresh()
        self.call_after_refresh(self._into_sight)

    def watch_cursor(self, before: int, now: int) -> None:
        """Where nothing scrolls, two lines are drawn again."""
        self._into_sight()
        self._tell()
        top = round(self.scroll_offset.y)
        self.refresh(*(Region(0, 1 + row - top, self.size.width, 1) for row in (before, now)))

    def _tell(self) -> None:
        if self.key != self._told:
            self._told = self.key
            self.post_message(self.Highlighted(self, self.key))

    def _into_sight(self) -> None:
        rows = self.scrollable_content_region.height - 1
        if rows <= 0:
            return
        top = round(self.scroll_offset.y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + rows:
            self.scroll_to(y=self.cursor - rows + 1, animate=False, immediate=True)

    def action_move(self, by: int) -> None:
        self.cursor = min(max(0, self.cursor + by), max(0, len(self._keys) - 1))

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self.scrollable_content_region.height - 2))

    def action_edge(self, end: int) -> None:
        self.action_move(end * len(self._keys))

    def action_select(self) -> None:
        if self.key is not None:
            self.post_message(self.Selected(self, self.key))

    def on_click(self, event: events.Click) -> None:
        row = event.y - 1 + round(self.scroll_offset.y)
        if event.y > 0 and row < len(self._keys):
            again = row == self.cursor
            self.cursor = row
            if again or event.chain > 1:
                self.action_select()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._keys) + 1)
        self._into_sight()

    def widths(self, width: int) -> list[int]:
        """Of the columns, for a line so long; 0 for one that has no room."""
        found = [0 if column.room > width else column.width for column in self._columns]
        stretched = [i for i, column in enumerate(self._columns) if column.stretch and found[i]]
        rest = width - sum(w + 1 for w in found if w) - 1
        for i in stretched:
            found[i] = max(3, found[i] + rest // len(stretched))
        return found

    def render_lines(self, crop: Region) -> list[Strip]:
        """Styles are looked up once for all lines that are drawn together."""
        self._styles = {name: self.get_component_rich_style(f"listing--{name}") for name in STYLES} | {
            "": self.rich_style
        }
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width or self.size.width
        if y == 0:
            return self._line([Cell(column.name) for column in self._columns], width, self._styles["header"])
        row = y - 1 + round(self.scroll_offset.y)
        if row >= len(self._keys):
            return Strip.blank(width, self._styles[""])
        on = row == self.cursor
        style = self._styles["cursor" if on else ""]
        return self._line(self._cells(self._keys[row]), width, style, toned=not on)

    def _line(self, cells: Sequence[Cell], width: int, style: Style, toned: bool = True) -> Strip:
        segments = [Segment(" ", style)]
        for cell, column, size in zip(cells, self._columns, self.widths(width), strict=True):
            if not size:
                continue
            own = self._styles[cell.tone] if cell.tone and toned else style
            segments += [Segment(fitted(cell.text, size, column.right), own), Segment(" ", style)]
        return Strip(segments).adjust_cell_length(width, style)

    def refresh_rows(self) -> None:
        """What the cells say has changed, the rows have not."""
        self.refresh(Region(0, 1, self.size.width, max(0, self.size.height - 1)))


def fitted(text: str, width: int, right: bool = False) -> str:
    """The text in exactly so many columns; what does not fit ends in an ellipsis."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(0, width - 1)) + "…"[:width]
    return " " * (width - length) + text if right else text + " " * (width - length)


def _index(keys: Sequence[Key], key: Key | None, near: int) -> int | None:
    """Where a key is; first looked for where it was."""
    if key is None:
        return None
    if near < len(keys) and keys[near] == key:
        return near
    try:
        return keys.index(key)
    except ValueError:
        return None
