"""A curve that rises in steps, with its interval, in braille dots: two by four to a character."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of the dot in a row and column of a braille character."""

LABEL = 8
"""Columns of the vertical axis."""


@dataclass(frozen=True, slots=True)
class Knot:
    """From ``x`` on the curve is at ``y``, its interval from ``low`` to ``high``."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Guide:
    """A horizontal line with a name."""

    y: float
    name: str


@dataclass(frozen=True, slots=True)
class Curve:
    knots: Sequence[Knot]
    end: float
    """Where the axis ends."""
    guides: Sequence[Guide]
    axis: str
    """Name of the horizontal axis."""
    now: float | None = None
    """How far the curve is known; to ``end`` by default."""


class Chart(Widget):
    """Draws one curve."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"chart--line", "chart--band", "chart--guide", "chart--label"}
    DEFAULT_CSS = """
    Chart {
        height: 1fr;
        min-height: 5;
        & > .chart--line { color: $primary-lighten-2; text-style: bold; }
        & > .chart--band { color: $primary 55%; }
        & > .chart--guide { color: $foreground 35%; }
        & > .chart--label { color: $foreground 60%; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._curve = Curve((), 1.0, (), "")
        self._lines: list[Strip] = []

    def draw(self, curve: Curve) -> None:
        if curve != self._curve:
            self._curve = curve
            self._lines = []
            self.refresh()

    def on_resize(self) -> None:
        self._lines = []

    def notify_style_update(self) -> None:
        self._lines = []
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        if not self._lines:
            self._lines = self._drawn()
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width, self.rich_style)

    def _drawn(self) -> list[Strip]:
        width, height = self.size.width - LABEL, self.size.height - 1
        if width < 4 or height < 2:
            return []
        low, high = self._range()
        canvas = Canvas(width, height, low, high, max(self._curve.end, 1e-9))
        for guide in self._curve.guides:
            canvas.guide(guide.y)
        canvas.plot(self._curve.knots, self._curve.end if self._curve.now is None else self._curve.now)
        labels = self._labels(canvas)
        styles = {name: self._style(name) for name in ("line", "band", "guide", "label")}
        strips = [
            Strip([Segment(labels.get(row, "").rjust(LABEL - 1) + " ", styles["label"]), *canvas.row(row, styles)])
            for row in range(height)
        ]
        return [*strips, self._foot(width, styles["label"])]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"chart--{name}")

    def _range(self) -> tuple[float, float]:
        """The curve, the guides, and of the intervals what is near them: one wide interval must not flatten all."""
        knots, guides = self._curve.knots, self._curve.guides
        ys = [knot.y for knot in knots] + [guide.y for guide in guides] or [0.0, 1.0]
        low, high = min(ys), max(ys)
        room = 0.35 * max(high - low, 1e-9)
        last = knots[-1] if knots else None
        low = min(low, max(last.low, low - room)) if last else low
        high = max(high, min(last.high, high + room)) if last else high
        margin = 0.04 * max(high - low, 1e-9)
        return low - margin, high + margin

    def _labels(self, canvas: Canvas) -> dict[int, str]:
        labels = {canvas.row_of(guide.y): guide.name for guide in self._curve.guides}
        if self._curve.knots:
            last = self._curve.knots[-1].y
            labels.setdefault(canvas.row_of(last), f"{last:.3f}")
        return labels

    def _foot(self, width: int, style: Style) -> Strip:
        end = self._curve.end
        right = f"{end:,.0f} {self._curve.axis}"
        text = " " * LABEL + "0" + right.rjust(width - 1)
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, style)


class Canvas:
    """Dots of the line, and of band and guides below it; each character shows the topmost of the three it holds."""

    def __init__(self, width: int, height: int, low: float, high: float, end: float) -> None:
        self.width, self.height = width, height
        self._low, self._high, self._end = low, high, end
        self._layers = {name: [[0] * width for _ in range(height)] for name in ("line", "band", "guide")}

    def _dot(self, layer: str, x: int, y: int) -> None:
        if 0 <= x < self.width * 2 and 0 <= y < self.height * 4:
            self._layers[layer][y // 4][x // 2] |= DOTS[y % 4][x % 2]

    def _y(self, value: float) -> int:
        share = (value - self._low) / (self._high - self._low)
        share = min(2.0, max(-1.0, share)) if math.isfinite(share) else (2.0 if share > 0 else -1.0)
        return round((1 - share) * (self.height * 4 - 1))

    def row_of(self, value: float) -> int:
        return min(self.height - 1, max(0, self._y(value) // 4))

    def guide(self, value: float) -> None:
        for x in range(0, self.width * 2, 4):
            self._dot("guide", x, self._y(value))

    def plot(self, knots: Sequence[Knot], now: float) -> None:
        """Each knot holds until the next one; a step up is drawn as a vertical line."""
        before: int | None = None
        for knot, following in zip(knots, [*(k.x for k in knots[1:]), now], strict=False):
            first, last = self._x(knot.x), self._x(following)
            y = self._y(knot.y)
            for x in range(first, last + 1):
                self._dot("line", x, y)
                self._shade(x, self._y(knot.high), self._y(knot.low))
            if before is not None:
                for step in range(min(before, y), max(before, y) + 1):
                    self._dot("line", first, step)
            before = y

    def _x(self, value: float) -> int:
        return round(min(1.0, value / self._end) * (self.width * 2 - 1))

    def _shade(self, x: int, top: int, bottom: int) -> None:
        """Every second dot, so that the band is lighter than the line."""
        for y in range(max(0, top), min(self.height * 4 - 1, bottom) + 1):
            if (x + y) % 2 == 0 and x % 2 == 0:
                self._dot("band", x, y)

    def row(self, row: int, styles: dict[str, Style]) -> list[Segment]:
        segments: list[Segment] = []
        for column in range(self.width):
            for name in ("line", "guide", "band"):
                dots = self._layers[name][row][column]
                if dots:
                    segments.append(Segment(chr(BRAILLE + dots), styles[name]))
                    break
            else:
                segments.append(Segment(" ", styles["label"]))
        return segments
