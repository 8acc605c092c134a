"""Curves of the best score so far, with intervals over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..discovery.comparison import Trial

FORMATS = (".svg", ".png", ".pdf")

POINTS = 60
"""Numbers of evaluations at which a curve and its interval are computed."""


def draw(trials: Sequence[Trial], file: Path, title: str) -> None:
    """Write the plot; the file's ending, one of ``FORMATS``, says the format."""
    import numpy as np
    from matplotlib.figure import Figure

    from ..discovery.comparison import estimate

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot(xlabel="evaluations", ylabel="best score so far", title=title)
    longest = max(len(trial.curve) for trial in trials)
    counts = np.unique(np.linspace(1, longest, min(POINTS, longest)).round().astype(int))
    for method in dict.fromkeys(trial.method for trial in trials):
        found = [estimate([t.at(int(n)) for t in trials if t.method == method]) for n in counts]
        (line,) = axes.step(counts, [one.mean for one in found], where="post", label=method)
        bands = [one.interval for one in found if one.interval is not None]
        if bands:
            low, high = [band.low for band in bands], [band.high for band in bands]
            axes.fill_between(counts, low, high, step="post", alpha=0.15, color=line.get_color())
    for height, name in ((0.0, "baseline"), (1.0, "reference")):
        axes.axhline(height, color="0.6", linewidth=0.8, linestyle=":")
        axes.annotate(name, (longest, height), ha="right", va="bottom", fontsize="small", color="0.4")
    axes.legend(frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)
