"""Behaviour spaces: from the descriptors of an evaluation to a cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from ..evaluators import Descriptor

Cell = tuple[int, ...]

EPSILON = 1e-6
"""Share of a range by which a value may fall short of a bin's edge, so that 0.29 of 100 bins is bin 29."""

CVT_SAMPLES = 10_000


class Space(Protocol):
    """Which cell a program belongs to."""

    @property
    def cells(self) -> int:
        """How many cells there are."""
        ...

    def cell(self, values: Mapping[str, float]) -> Cell | None:
        """None where a descriptor is missing or not finite."""
        ...

    def keep(self, cell: Cell, values: Mapping[str, float]) -> None:
        """The program with these descriptors is now the elite of the cell."""
        ...


class BehaviourSpace:
    """A grid with fixed bounds; values outside fall into the edge bins (MAP-Elites, Mouret and Clune 2015).

    Raises: ValueError for bounds that make no axis.
    """

    def __init__(self, descriptors: Sequence[Descriptor]) -> None:
        self.descriptors = tuple(descriptors)
        self._axes = tuple(Axis(descriptor) for descriptor in self.descriptors)

    @property
    def cells(self) -> int:
        return math.prod(axis.bins for axis in self._axes)

    def cell(self, values: Mapping[str, float]) -> Cell | None:
        """Bin of each descriptor, in their order; None where one is missing or not finite."""
        bins: list[int] = []
        for axis in self._axes:
            value = values.get(axis.name)
            if value is None or not math.isfinite(value):
                return None
            bins.append(axis.bin(value))
        return tuple(bins)

    def keep(self, cell: Cell, values: Mapping[str, float]) -> None:
        """Nothing changes: the cells are fixed."""


class CVTSpace:
    """Cells around fixed centroids in the unit cube of the descriptors (CVT-MAP-Elites, Vassiliades et al. 2018)."""

    def __init__(self, descriptors: Sequence[Descriptor], centroids: Sequence[Sequence[float]]) -> None:
        self.descriptors = tuple(descriptors)
        self._axes = tuple(Axis(descriptor) for descriptor in self.descriptors)
        self._centroids = np.asarray(centroids, dtype=np.float64)

    @property
    def cells(self) -> int:
        return len(self._centroids)

    def cell(self, values: Mapping[str, float]) -> Cell | None:
        """Index of the nearest centroid, the first of equals; None where a descriptor is missing or not finite."""
        point = _point(self._axes, values)
        return None if point is None else (int(np.argmin(((self._centroids - point) ** 2).sum(axis=1))),)

    def keep(self, cell: Cell, values: Mapping[str, float]) -> None:
        """Nothing changes: the cells are fixed."""


class NoveltySpace:
    """Cells come into being where programs are novel: the elites themselves, with no grid (Lehman and Stanley 2011).

    A program whose mean distance to the ``neighbours`` nearest elites, in the unit cube, is at least ``threshold``
    opens a cell; any other competes with the nearest elite. The rule is that of pyribs' ProximityArchive with local
    competition. One island's own: it holds where the elites are.
    """

    def __init__(self, descriptors: Sequence[Descriptor], threshold: float, neighbours: int) -> None:
        self._axes = tuple(Axis(descriptor) for descriptor in descriptors)
        self._threshold = threshold
        self._neighbours = neighbours
        self._points = np.empty((0, len(self._axes)))

    @property
    def cells(self) -> int:
        """There are as many cells as elites; 1 before the first."""
        return max(1, len(self._points))

    def cell(self, values: Mapping[str, float]) -> Cell | None:
        """The nearest elite's cell, or the next new one; None where a descriptor is missing or not finite."""
        point = _point(self._axes, values)
        if point is None:
            return None
        distances = np.linalg.norm(self._points - point, axis=1)
        count = min(self._neighbours, len(distances))
        if not count or np.partition(distances, count - 1)[:count].mean() >= self._threshold:
            return (len(distances),)
        return (int(np.argmin(distances)),)

    def keep(self, cell: Cell, values: Mapping[str, float]) -> None:
        """The elite of the cell is where its program is."""
        point = _point(self._axes, values)
        assert point is not None
        (index,) = cell
        if index == len(self._points):
            self._points = np.vstack([self._points, point])
        self._points[index] = point


def _point(axes: Sequence[Axis], values: Mapping[str, float]) -> list[float] | None:
    """Place in the unit cube; None where a descriptor is missing or not finite."""
    found = [values.get(axis.name) for axis in axes]
    finite = [value for value in found if value is not None and math.isfinite(value)]
    if len(finite) < len(found):
        return None
    return [axis.unit(value) for axis, value in zip(axes, finite, strict=True)]


class Axis:
    """One descriptor as numbers ready for use."""

    __slots__ = ("_log", "_low", "_width", "bins", "name")

    def __init__(self, descriptor: Descriptor) -> None:
        self._log = descriptor.scale == "log"
        finite = math.isfinite(descriptor.low) and math.isfinite(descriptor.high)
        if not (finite and descriptor.low < descriptor.high and descriptor.bins >= 1):
            raise ValueError(f"descriptor {descriptor.name}: needs finite bounds with low < high and at least one bin")
        if self._log and descriptor.low <= 0:
            raise ValueError(f"descriptor {descriptor.name}: a log axis needs bounds above 0")
        self.name = descriptor.name
        self.bins = descriptor.bins
        self._low = math.log(descriptor.low) if self._log else descriptor.low
        high = math.log(descriptor.high) if self._log else descriptor.high
        self._width = high - self._low

    def _place(self, value: float) -> float:
        if not self._log:
            return value
        return math.log(value) if value > 0 else -math.inf

    def bin(self, value: float) -> int:
        """Index of the bin of a finite value, clipped to ``[0, bins - 1]``."""
        place = (self.bins * (self._place(value) - self._low) + EPSILON) / self._width
        return int(min(max(place, 0.0), self.bins - 1.0))

    def unit(self, value: float) -> float:
        """Place of a finite value on the axis, clipped to [0, 1]."""
        return min(max((self._place(value) - self._low) / self._width, 0.0), 1.0)


def cvt_centroids(dimensions: int, cells: int) -> tuple[tuple[float, ...], ...]:
    """Centroids of ``cells`` cells of the unit cube of ``dimensions`` axes, by k-means of uniform samples."""
    from ribs.archives import CVTArchive

    archive = CVTArchive(
        solution_dim=1,
        centroids=cells,
        ranges=[(0.0, 1.0)] * dimensions,
        samples=max(CVT_SAMPLES, 20 * cells),
        seed=0,
    )
    return tuple(tuple(float(x) for x in row) for row in archive.centroids)
