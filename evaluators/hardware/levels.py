"""Which sizes of data are moved to find the speed of each level of the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..evaluation import Record
from .machine import Cache

FIRST = 2
"""The first level is left out: a call of an array library lasts longer than moving what fits there."""
LEAST = 128 << 20
MOST = 1 << 30
SHARE = 8
"""Of the whole memory at most this part is taken."""


class Level(Record):
    """``working`` bytes are moved by each thread, within a level where all threads' data of ``capacity`` bytes fit."""

    name: str
    capacity: int | None
    working: int


def levels(caches: Sequence[Cache], memory: int, threads: int) -> Iterator[Level]:
    """The caches from the second level on, then the memory. Data take half of a cache: others use it too."""
    largest = 0
    for cache in caches:
        if cache.level >= FIRST:
            capacity = cache.size * max(1, threads // cache.shared_by)
            largest = max(largest, capacity)
            yield Level(name=f"L{cache.level}", capacity=capacity, working=capacity // threads // 2)
    beyond = min(max(4 * largest, LEAST), MOST, memory // SHARE)
    yield Level(name="memory", capacity=None, working=beyond // threads)
