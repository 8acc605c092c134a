"""Maps of islands: where the elites are in the behaviour space, seen along each pair of its axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...evaluators import Descriptor
from ..history import History
from ..space import Axis
from . import theme, wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

SHADES = 48
"""Of the key of the colours."""

LOWEST = -1.0
"""Scores below are shown like this one: what is worse than that does not matter."""


@dataclass(frozen=True, slots=True)
class View:
    """One island along one descriptor or two: the best score of each bin.

    ``scores`` (bins of y, bins of x), NaN where no elite is; one row where there is one descriptor.
    """

    island: int
    axes: tuple[Descriptor, ...]
    scores: np.ndarray

    @property
    def title(self) -> str:
        names = " × ".join(axis.name for axis in self.axes)
        return f"island {self.island}: {names}"


def views(history: History) -> list[View]:
    """All islands along each pair of their descriptors. Where the cells are no grid, elites are put into bins."""
    state = history.state
    assert state.started is not None
    settings = state.started.archive
    found = []
    for number, island in enumerate(state.archipelago.islands):
        axes = [settings.descriptors[axis] for axis in settings.axes_of(number)]
        kept = island.elites_by_cell.values()
        elites = [(elite.score, state.evaluation_of(elite.program).descriptors) for elite in kept]
        pairs = list(itertools.combinations(axes, 2)) or [(axis,) for axis in axes]
        found += [View(number, pair, _projected(pair, elites)) for pair in pairs]
    return found


def _projected(pair: Sequence[Descriptor], elites: Sequence[tuple[float, dict[str, float]]]) -> np.ndarray:
    bins = [Axis(descriptor) for descriptor in pair]
    shape = (bins[1].bins if len(bins) > 1 else 1, bins[0].bins)
    scores = np.full(shape, np.nan)
    for score, values in elites:
        column, row = bins[0].bin(values[pair[0].name]), bins[1].bin(values[pair[1].name]) if len(bins) > 1 else 0
        scores[row, column] = np.nanmax([scores[row, column], score])
    return scores


def scale(all_views: Sequence[View]) -> Normalize:
    """Of the colours: 0, the baseline, in the middle."""
    from matplotlib.colors import TwoSlopeNorm

    scores = np.concatenate([view.scores.ravel() for view in all_views])
    top = float(np.nanmax(scores)) if np.isfinite(scores).any() else 1.0
    return TwoSlopeNorm(0.0, LOWEST, max(top, 0.1))


def draw(axes: Axes, view: View, norm: Normalize) -> None:
    """A heat map; empty bins stay empty."""
    rows, columns = view.scores.shape
    shown = np.ma.masked_invalid(np.maximum(view.scores, LOWEST))
    axes.pcolormesh(
        np.arange(columns + 1),
        np.arange(rows + 1),
        shown,
        cmap=theme.score_map(),
        norm=norm,
        edgecolors=theme.RULE,
        linewidth=0.4,
    )
    axes.set_title(f"island {view.island}")
    axes.set_xlabel(view.axes[0].name)
    axes.set_xticks(*_ticks(view.axes[0]))
    if len(view.axes) > 1:
        axes.set_ylabel(view.axes[1].name)
        axes.set_yticks(*_ticks(view.axes[1]))
    else:
        axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)


def _ticks(descriptor: Descriptor) -> tuple[list[float], list[str]]:
    """Places of three edges of bins, and their values."""
    low, high, bins = descriptor.low, descriptor.high, descriptor.bins
    logarithmic = descriptor.scale == "log"
    middle = math.sqrt(low * high) if logarithmic else (low + high) / 2
    return [0.0, bins / 2, float(bins)], [f"{value:.3g}" for value in (low, middle, high)]


def key(axes: Axes, norm: Normalize) -> None:
    """What the colours mean."""
    assert norm.vmax is not None
    places = np.linspace(0.0, 1.0, SHADES + 1)
    shades = np.interp((places[:-1] + places[1:]) / 2, [0.0, 0.5, 1.0], [LOWEST, 0.0, norm.vmax])
    axes.pcolormesh(
        places, [0.0, 1.0], shades[None, :], cmap=theme.score_map(), norm=norm, edgecolors="face", linewidth=0.4
    )
    labels = [f"{wording.number(LOWEST)} or less", "score 0, the baseline", wording.number(norm.vmax)]
    axes.set_xticks([0.0, 0.5, 1.0], labels)
    axes.set_yticks([])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
