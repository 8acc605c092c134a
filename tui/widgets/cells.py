"""A heat map of cells, in which the arrow keys move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.color import Color, Gradient
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip
from textual.widget import Widget

from ..model.maps import HeatMap, Spot, edges
from .listing import fitted

SHADES = " ·░▒▓█"
"""From no elite to the best, where there is no colour."""

LABEL = 8
"""Columns of the vertical axis."""

WIDEST = 6
"""Columns of a cell."""


class Cells(Widget, can_focus=True):
    """Shows a ``HeatMap``; the warmer a cell the better its elite, and its score stands in it where there is room."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "cells--cold",
        "cells--mild",
        "cells--warm",
        "cells--empty",
        "cells--label",
        "cells--cursor",
    }
    DEFAULT_CSS = """
    Cells {
        height: 1fr;
        & > .cells--cold { color: $primary-darken-3; }
        & > .cells--mild { color: $primary; }
        & > .cells--warm { color: $accent; }
        & > .cells--empty { color: $foreground 15%; }
        & > .cells--label { color: $foreground 60%; }
        & > .cells--cursor { color: $foreground 60%; text-style: bold; }
        &:focus > .cells--cursor { color: $foreground; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(0, 1)", "Up", show=False),
        Binding("down,j", "move(0, -1)", "Down", show=False),
        Binding("left,h", "move(-1, 0)", "Left", show=False),
        Binding("right,l", "move(1, 0)", "Right", show=False),
        Binding("home", "best", "Best cell", show=False),
        Binding("enter", "select", "Open the elite", show=False),
    ]
    spot: var[Spot | None] = var(None)

    @dataclass
    class Highlighted(Message):
        """The cursor is on another cell, or another elite is in it."""

        program: str | None

    @dataclass
    class Selected(Message):
        program: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._map: HeatMap | None = None

    @property
    def map(self) -> HeatMap | None:
        return self._map

    @property
    def program(self) -> str | None:
        """The elite under the cursor."""
        if self._map is None or self.spot is None or self.spot not in self._map.elites:
            return None
        return self._map.elites[self.spot].program

    def show(self, shown: HeatMap, program: str | None = None) -> None:
        """The cursor goes to ``program`` where it is an elite, else stays; at first it is on the best cell."""
        self._map = shown
        at = shown.spot_of(program) if program else None
        if at is not None or self.spot is None or not self._inside(self.spot):
            self.spot = at or shown.best() or (0, 0)
        self.post_message(self.Highlighted(self.program))
        self.refresh()

    def _inside(self, spot: Spot) -> bool:
        return self._map is not None and 0 <= spot[0] < self._map.x.bins and 0 <= spot[1] < self._map.y.bins

    def watch_spot(self) -> None:
        self.post_message(self.Highlighted(self.program))
        self.refresh()

    def action_move(self, x: int, y: int) -> None:
        if self._map is None or self.spot is None:
            return
        moved = (self.spot[0] + x, self.spot[1] + y)
        if self._inside(moved):
            self.spot = moved

    def action_best(self) -> None:
        if self._map is not None:
            self.spot = self._map.best()

    def action_select(self) -> None:
        if self.program is not None:
            self.post_message(self.Selected(self.program))

    def on_click(self, event: events.Click) -> None:
        if self._map is None:
            return
        row = (event.y) // self._tall()
        spot = ((event.x - LABEL) // self._wide(), self._map.y.bins - 1 - row)
        if event.x >= LABEL and self._inside(spot):
            again = spot == self.spot
            self.spot = spot
            if again:
                self.action_select()

    def _wide(self) -> int:
        """Columns of a cell."""
        assert self._map is not None
        return max(1, min(WIDEST, (self.size.width - LABEL) // self._map.x.bins))

    def _tall(self) -> int:
        """Lines of a cell."""
        assert self._map is not None
        return max(1, min(2, (self.size.height - 2) // self._map.y.bins))

    def render_line(self, y: int) -> Strip:
        blank = Strip.blank(self.size.width, self.rich_style)
        if self._map is None:
            return blank
        tall = self._tall()
        row = self._map.y.bins - 1 - y // tall
        if row >= 0:
            strip = self._row(row, first=y % tall == 0)
        elif y == self._map.y.bins * tall:
            strip = self._axis()
        else:
            return blank
        return strip.adjust_cell_length(self.size.width, self.rich_style)

    def _row(self, row: int, first: bool) -> Strip:
        assert self._map is not None
        label = self._bound(row) if first else ""
        segments = [Segment(fitted(label, LABEL - 1, right=True) + " ", self._style("label"))]
        for column in range(self._map.x.bins):
            segments += self._cell((column, row), first)
        return Strip(segments)

    def _bound(self, row: int) -> str:
        assert self._map is not None
        axis = self._map.y
        if not axis.name:
            return ""
        return f"{edges(axis, row)[0]:.3g}"

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"cells--{name}")

    def _cell(self, spot: Spot, first: bool) -> list[Segment]:
        assert self._map is not None
        wide = self._wide()
        elite = self._map.elites.get(spot)
        on = spot == self.spot
        if elite is None:
            text, style = "·".center(wide) if first else " " * wide, self._style("empty")
        else:
            warmth = self._map.warmth(elite.score)
            if self.app.no_color:
                text, style = self._shaded(elite.score, warmth, wide, first), self.rich_style
            else:
                text, style = self._scored(elite.score, wide) if first else " " * wide, self._warm(warmth)
        if not on:
            return [Segment(text, style)]
        cursor = self._style("cursor")
        if wide < 3:
            return [Segment(text, style + Style(reverse=True))]
        left, right = ("[", "]") if first else (" ", " ")
        ring = Style(color=cursor.color, bgcolor=style.bgcolor, bold=True, reverse=self.has_focus)
        inner = text[1:-1] if elite is None or not first else self._scored(elite.score, wide - 1)[: wide - 2]
        return [Segment(left, ring), Segment(inner.ljust(wide - 2), style + Style(bold=True)), Segment(right, ring)]

    @staticmethod
    def _scored(score: float, wide: int) -> str:
        texts = [f"{score:.{digits}f}".replace("0.", ".", wide < WIDEST) for digits in (2, 1, 0)]
        fitting = (text for text in texts if len(text) < wide and (float(text) or not score))
        return next(fitting, "").center(wide)

    def _shaded(self, score: float, warmth: float, wide: int, first: bool) -> str:
        text = self._scored(score, wide)
        if first and text.strip():
            return text
        return SHADES[1 + round(warmth * (len(SHADES) - 2))] * wide

    def _warm(self, warmth: float) -> Style:
        stops = [self.get_component_styles(f"cells--{name}").color for name in ("cold", "mild", "warm")]
        background = Gradient.from_colors(*stops).get_color(warmth)
        text = background.get_contrast_text(0.9)
        return Style(color=(background + text).rich_color, bgcolor=_opaque(background).rich_color)

    def _axis(self) -> Strip:
        assert self._map is not None
        axis, wide = self._map.x, self._wide()
        if not axis.name:
            return Strip([])
        every = max(1, -(-8 // wide))
        text = "".join(
            fitted(f"{edges(axis, bin_)[0]:.3g}", wide * min(every, axis.bins - bin_))
            for bin_ in range(0, axis.bins, every)
        )
        return Strip([Segment(" " * LABEL + text, self._style("label"))])


def _opaque(color: Color) -> Color:
    return color.with_alpha(1.0)
