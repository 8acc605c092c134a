"""The page: one HTML file with everything in it. It loads nothing and runs no script."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import __version__
from ..island import Stats
from ..rendering import render
from . import figures, gallery, maps, theme, wording
from .content import Content
from .gallery import Drawing, NothingToDraw
from .ruler import placed

if TYPE_CHECKING:
    from markupsafe import Markup

NARROW = (4.0, 3.3)
"""Of the progress figure where the page is narrow, in inches."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One map of an island."""

    stats: Stats
    svg: Markup


def write_report(content: Content, destination: Path) -> None:
    """Write the report; the folder is made where it does not exist. Raises: OSError."""
    with theme.styled():
        text = render(
            "report.html.j2",
            c=content,
            w=wording,
            version=__version__,
            scale=placed(content.marks),
            described=figures.described_progress(content.history.evaluated),
            figures=_drawn(content),
        )
    destination.parent.mkdir(parents=True, exist_ok=True)
    destination.write_text(text, encoding="utf-8")


def _drawn(content: Content) -> dict[str, Any]:
    """All figures by name; None for one that the run has nothing for."""
    numbers = itertools.count(1)
    found: dict[str, Any] = dict.fromkeys(gallery.FIGURES)
    for name, make in gallery.SINGLE.items():
        with contextlib.suppress(NothingToDraw):
            found[name] = _svg(make(content), next(numbers))
    found["progress_narrow"] = _svg(replace(gallery.progress(content), size=NARROW), next(numbers))
    views = maps.views(content.history)
    if views:
        norm = maps.scale(views)
        found["maps"] = list(_panels(content, views, norm, numbers))
        key = Drawing((3.6, 0.5), "Colours of the scores.", lambda axes: maps.key(axes, norm))
        found["maps_key"] = _svg(key, next(numbers))
    return found


def _panels(content: Content, views: list[maps.View], norm: Any, numbers: Iterator[int]) -> Iterator[Panel]:
    stats = [island.stats() for island in content.history.state.archipelago.islands]
    for view in views:
        drawing = Drawing((2.9, 2.4), f"Map of {view.title}.", lambda axes, view=view: maps.draw(axes, view, norm))
        yield Panel(stats[view.island], _svg(drawing, next(numbers)))


def _svg(drawing: Drawing, number: int) -> Markup:
    from markupsafe import Markup

    figure = theme.new_figure(*drawing.size)
    drawing.draw(figure.add_subplot())
    return Markup(theme.inline_svg(figure, drawing.label, f"f{number}"))
