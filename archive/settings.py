"""What keeps the elites of a run; stored in its journal, so that a replay needs no task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from ..evaluators import Descriptor, Record
from .space import cvt_centroids

Count = Annotated[int, Field(ge=1)]
Kind = Literal["grid", "cvt", "single"]
"""``single`` is one cell: the elite is the island's best program, and no diversity is kept."""


class ArchiveSettings(Record):
    """Islands that share one behaviour space; ``migration_interval`` counts evaluations of the whole run."""

    descriptors: tuple[Descriptor, ...]
    islands: Count = 1
    migration_interval: Count = 50
    archive: Kind = "grid"
    centroids: tuple[tuple[float, ...], ...] = ()
    """Of the cells of a ``cvt`` archive, in the unit cube: stored, because k-means differs between library versions."""

    @classmethod
    def of(
        cls,
        descriptors: Iterable[Descriptor],
        *,
        islands: int = 1,
        migration_interval: int = 50,
        archive: Kind = "grid",
        cells: int = 100,
    ) -> ArchiveSettings:
        """``cells`` is the number of cells of a ``cvt`` archive; a grid takes the descriptors' bins."""
        axes = () if archive == "single" else tuple(descriptors)
        return cls(
            descriptors=axes,
            islands=islands,
            migration_interval=migration_interval,
            archive=archive,
            centroids=cvt_centroids(len(axes), cells) if archive == "cvt" else (),
        )
