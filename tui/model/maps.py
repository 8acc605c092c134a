"""Heat maps: the elites of an island on two axes of its behaviour space."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...archive import Elite, RunState
from ...archive.space import Axis, Cell
from ...evaluators import Descriptor

ONE = Descriptor("", 0.0, 1.0, bins=1)
"""Stands for an axis where the space has fewer than two."""

Spot = tuple[int, int]
"""Column and row of a heat map, from the lower left."""


@dataclass(frozen=True)
class HeatMap:
    """The best elite of each pair of bins; a space with more than two axes is seen along the others."""

    x: Descriptor
    y: Descriptor
    elites: Mapping[Spot, Elite]
    hidden: int = 0
    """Elites behind better ones, on the axes that are not shown."""

    @property
    def low(self) -> float:
        """Lower end of the colours: the lowest score, but not below that a twentieth of the elites have."""
        scores = sorted(elite.score for elite in self.elites.values())
        return scores[len(scores) // 20] if scores else 0.0

    @property
    def high(self) -> float:
        return max((elite.score for elite in self.elites.values()), default=0.0)

    def warmth(self, score: float) -> float:
        """Place of a score between ``low`` and ``high``, in [0, 1]."""
        if not self.high > self.low:
            return 1.0
        return min(1.0, max(0.0, (score - self.low) / (self.high - self.low)))

    def spot_of(self, program: str) -> Spot | None:
        return next((spot for spot, elite in self.elites.items() if elite.program == program), None)

    def best(self) -> Spot | None:
        return max(self.elites, key=lambda spot: self.elites[spot].score, default=None)

    def nearest(self, spot: Spot) -> Spot | None:
        """The filled spot nearest to this one."""
        return min(self.elites, key=lambda other: math.dist(spot, other), default=None)


def axes_of(state: RunState, island: int) -> list[Descriptor]:
    """The descriptors that the island's behaviour space is made of."""
    assert state.started is not None
    settings = state.started.archive
    return [settings.descriptors[axis] for axis in settings.axes_of(island)]


def heat_map(state: RunState, islands: Iterable[int], x: int = 0, y: int = 1) -> HeatMap:
    """The elites of islands with the same axes, the best where several fall together; ``x`` and ``y`` choose axes."""
    chosen = list(islands)
    axes = axes_of(state, chosen[0]) if chosen else []
    shown = [axes[i] if i < len(axes) else ONE for i in (x, y)]
    best: dict[Spot, Elite] = {}
    count = 0
    for island in chosen:
        for spot, elite in _placed(state, island, axes, (x, y)):
            count += 1
            if spot not in best or elite.score > best[spot].score:
                best[spot] = elite
    return HeatMap(shown[0], shown[1], best, hidden=count - len(best))


def _placed(
    state: RunState, island: int, axes: list[Descriptor], shown: tuple[int, int]
) -> Iterator[tuple[Spot, Elite]]:
    assert state.started is not None
    grid = state.started.archive.archive == "grid"
    rulers = [Axis(axis) for axis in axes]
    for cell, elite in state.archipelago.islands[island].elites_by_cell.items():
        bins = cell if grid else _bins(state, rulers, elite.program)
        first, second = (bins[i] if i < len(bins) else 0 for i in shown)
        yield (first, second), elite


def _bins(state: RunState, rulers: list[Axis], program: str) -> Cell:
    """Cells of other archives are no bins: the elite's descriptors say where it is."""
    descriptors = state.evaluation_of(program).descriptors
    return tuple(ruler.bin(descriptors[ruler.name]) for ruler in rulers)


def edges(axis: Descriptor, bin_: int) -> tuple[float, float]:
    """Where a bin of an axis begins and ends."""
    if axis.scale == "log":
        ratio = math.log(axis.high / axis.low) / axis.bins
        return axis.low * math.exp(ratio * bin_), axis.low * math.exp(ratio * (bin_ + 1))
    width = (axis.high - axis.low) / axis.bins
    return axis.low + width * bin_, axis.low + width * (bin_ + 1)
