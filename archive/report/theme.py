"""Colours and type of figures: fixed in files, the page's own in HTML, so that a figure follows light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

INK, MUTED, RULE, PAPER = "#1b2330", "#5c6675", "#d9dee5", "#fefefe"
BEST, FRESH, REFERENCE, WORSE = "#0a6c9e", "#1c7c4c", "#7a4fb5", "#b5532c"

VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    PAPER: "paper",
    BEST: "best",
    FRESH: "fresh",
    REFERENCE: "reference",
    WORSE: "worse",
}
"""Colour in a file -> custom property of the page."""

SCORES = ("#a8481f", "#dd9d7b", "#d3d7dc", "#7fb2cf", "#0a5c8a")
"""Of a map of scores, from far below the baseline over its 0 to far above."""

STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "figure.facecolor": PAPER,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "speciate",
    "pdf.fonttype": 42,
}


@contextmanager
def styled() -> Iterator[None]:
    """Inside, figures are drawn and saved in this style. Text is never read as formulas: it comes from programs."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """A figure that no window knows, ``width`` by ``height`` in inches; use it inside ``styled``."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def score_map() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("scores", SCORES)


def level(axes: Axes, value: float, name: str, colour: str) -> None:
    """A thin line at a score that has a name, across the axes; the name stands at its right end."""
    axes.axhline(value, color=colour, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
    axes.annotate(
        f" {name}",
        (1.0, value),
        xycoords=axes.get_yaxis_transform(),
        ha="left",
        va="center",
        fontsize=8,
        color=colour,
        annotation_clip=False,
    )


def inline_svg(figure: Figure, label: str, prefix: str) -> str:
    """The figure as an element of a page: ids begin with ``prefix``, colours are the page's, ``label`` is its text."""
    from xml.sax.saxutils import quoteattr

    figure.patch.set_alpha(0)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    body = out.getvalue().partition("<svg")[2].partition(">")[2]
    for pattern, put in _LEANER:
        body = re.sub(pattern, put, body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{prefix}-", body)
    for colour, name in VARIABLES.items():
        body = body.replace(colour, f"var(--{name})")
    width, height = 72 * figure.get_size_inches()
    box = f'viewBox="0 0 {width:g} {height:g}" style="max-width:{1.5 * width:.0f}px"'
    return f'<svg role="img" aria-label={quoteattr(label)} {box}>{body}'


_LEANER = (
    (r"<metadata>.*?</metadata>|<style.*?</style>", ""),
    (r'<g id="[^"]*"', "<g"),
    (r" font-family: [^;\"]*;", ""),
    (r"xlink:href", "href"),
    (r"\n\s*", " "),
)
"""What a page needs no more of an SVG file: what it says of itself, names of groups, fonts."""
