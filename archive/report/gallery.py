"""The figures that a run offers, by name: how large, what they show, how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import figures, maps, theme
from .content import Content

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURES = ("progress", "lineage", "maps", "yields", "instances", "timing")
FORMATS = (".svg", ".png", ".pdf")
DPI = 200
"""Of PNG files."""

COLUMNS = 3
"""Maps side by side in a file."""


class NothingToDraw(Exception):
    """The run has nothing that such a figure could show; one line that says why."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """``size`` is in inches, ``label`` says in a sentence what is to be seen."""

    size: tuple[float, float]
    label: str
    draw: Callable[[Axes], None]


def progress(content: Content) -> Drawing:
    history = content.history
    label = figures.described_progress(history.evaluated)
    return Drawing((7.4, 3.5), label, lambda axes: figures.progress(axes, history))


def lineage(content: Content) -> Drawing:
    """Raises: NothingToDraw."""
    steps = len(content.history.state.lineage(content.program))
    if steps < 2:
        raise NothingToDraw("the best program is the baseline: it has no lineage")
    label = f"Scores of the {steps} programs from the baseline to the best one, with intervals."
    return Drawing((4.4, 2.7), label, lambda axes: figures.lineage(axes, content.history, content.program))


def yield_bars(content: Content) -> Drawing:
    """Raises: NothingToDraw."""
    rows = content.mutations
    if not rows:
        raise NothingToDraw("nothing was proposed in this run")
    return Drawing(
        (4.3, 0.9 + 0.24 * min(len(rows), figures.MOST_BARS)),
        "Proposals by mutation, and how many of them were valid and became elites.",
        lambda axes: figures.yield_bars(axes, rows),
    )


def instances(content: Content) -> Drawing:
    """Raises: NothingToDraw."""
    series = content.series
    if not series:
        raise NothingToDraw("nothing is known of single instances in this run")
    kinds = {figures.kind_of(name) for one in series for name, _ in one.gains}
    return Drawing(
        (4.3, 1.3 + 0.5 * len(kinds)),
        "Gain over the baseline on each kind of instance, in the search, on fresh instances, and the reference's.",
        lambda axes: figures.instances(axes, series, ratio=content.ratio),
    )


def timing(content: Content) -> Drawing:
    """Raises: NothingToDraw."""
    if not content.clocked or not content.series:
        raise NothingToDraw("this task is not clocked: there are no paired times")
    return Drawing(
        (4.3, 0.8 + 0.55 * len(content.series)),
        "Each paired measurement as a ratio to the baseline beside it, with medians and their intervals.",
        lambda axes: figures.timing(axes, content.series),
    )


SINGLE: dict[str, Callable[[Content], Drawing]] = {
    "progress": progress,
    "lineage": lineage,
    "yields": yield_bars,
    "instances": instances,
    "timing": timing,
}


def write_figure(content: Content, name: str, destination: Path) -> None:
    """Draw one of ``FIGURES`` into a file, whose ending, one of ``FORMATS``, says the format.

    Raises: NothingToDraw, OSError.
    """
    with theme.styled():
        figure = _maps(content) if name == "maps" else _single(SINGLE[name](content))
        destination.parent.mkdir(parents=True, exist_ok=True)
        undated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
        kind = destination.suffix.lower().removeprefix(".")
        figure.savefig(destination, dpi=DPI, metadata=undated[kind])


def _single(drawing: Drawing) -> Figure:
    figure = theme.new_figure(*drawing.size)
    drawing.draw(figure.add_subplot())
    return figure


def _maps(content: Content) -> Figure:
    """Raises: NothingToDraw."""
    views = maps.views(content.history)
    if not views:
        raise NothingToDraw("this run kept one program per island and no map")
    columns = min(COLUMNS, len(views))
    rows = math.ceil(len(views) / columns)
    figure = theme.new_figure(2.9 * columns, 2.4 * rows + 0.6)
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=[1.0] * rows + [0.05])
    norm = maps.scale(views)
    for number, view in enumerate(views):
        maps.draw(figure.add_subplot(grid[number // columns, number % columns]), view, norm)
    maps.key(figure.add_subplot(grid[rows, :]), norm)
    return figure
