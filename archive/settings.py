"""What keeps the elites of a run; stored in its journal, so that a replay needs no task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from ..evaluators import Descriptor, Record
from .space import cvt_centroids
from .topology import TopologyName

Count = Annotated[int, Field(ge=1)]
Distance = Annotated[float, Field(gt=0)]
Kind = Literal["grid", "cvt", "unstructured", "single"]
"""``single`` is one cell: the elite is the island's best program, and no diversity is kept."""
Axes = Literal["all", "omit_one"]
"""``omit_one``: island 0 uses all descriptors, island i leaves out the (i - 1)-th, and so on in turn."""


class ArchiveSettings(Record):
    """All intervals count evaluations of the whole run; ``None`` means never."""

    descriptors: tuple[Descriptor, ...]
    islands: Count = 1
    migration_interval: Count = 50
    topology: TopologyName = "ring"
    reset_interval: Count | None = None
    stagnation: Count | None = None
    max_islands: Count = 8
    archive: Kind = "grid"
    axes: Axes = "all"
    novelty: Distance = 0.05
    neighbours: Count = 5
    centroids: tuple[tuple[float, ...], ...] = ()
    """Of the cells of a ``cvt`` archive, in the unit cube: stored, because k-means differs between library versions."""

    @classmethod
    def of(
        cls, descriptors: Iterable[Descriptor], *, archive: Kind = "grid", cells: int = 100, **others: object
    ) -> ArchiveSettings:
        """``cells`` is the number of cells of a ``cvt`` archive; the other arguments are fields of the settings."""
        axes = () if archive == "single" else tuple(descriptors)
        centroids = cvt_centroids(len(axes), cells) if archive == "cvt" else ()
        return cls.model_validate({"descriptors": axes, "archive": archive, "centroids": centroids, **others})

    def axes_of(self, island: int) -> tuple[int, ...]:
        """Indices of the descriptors that the island's behaviour space is made of; always at least one of several."""
        count = len(self.descriptors)
        every = tuple(range(count))
        if self.axes == "all" or count < 2 or island == 0:
            return every
        omitted = (island - 1) % count
        return every[:omitted] + every[omitted + 1 :]
