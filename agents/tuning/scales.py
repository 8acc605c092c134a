"""Coordinates in which a step of one means about as much for every number."""

from __future__ import annotations

import math
from typing import Protocol

from .template import Slot

SHARES_FROM = 0.8
"""Numbers from here up to 1 are shares such as momenta, where the distance to 1 is what counts."""


FARTHEST, FARTHEST_WHOLE = 5.0, 1.5
"""Of leaps, in coordinates: factors of 150 and, since whole numbers are sizes and counts that cost time, of 4.5."""


class Scale(Protocol):
    @property
    def farthest(self) -> float:
        """The longest leap."""
        ...

    def place(self, value: float) -> float:
        """The coordinate of a number. Raises: ValueError where the scale has no place for it."""
        ...

    def value(self, place: float) -> float: ...


class Log:
    """Numbers of one sign, by their logarithm; whole ones are at least 1 in size."""

    def __init__(self, sign: float, whole: bool) -> None:
        self._sign = sign
        self._whole = whole
        self.farthest = FARTHEST_WHOLE if whole else FARTHEST

    def place(self, value: float) -> float:
        return math.log(self._sign * value)

    def value(self, place: float) -> float:
        size = math.exp(min(place, 300.0))
        return self._sign * (max(1.0, round(size)) if self._whole else size)


class Share:
    """Numbers from 0 to 1, by the logarithm of their distance to 1."""

    farthest = FARTHEST

    def place(self, value: float) -> float:
        return -math.log(1.0 - value)

    def value(self, place: float) -> float:
        return 1.0 - math.exp(-max(place, 0.0))


class Linear:
    """Numbers around 0, in steps of ``unit``."""

    farthest = FARTHEST

    def __init__(self, unit: float) -> None:
        self._unit = unit

    def place(self, value: float) -> float:
        return value / self._unit

    def value(self, place: float) -> float:
        return self._unit * place


def scale_of(slot: Slot, value: float) -> Scale:
    """The scale for a slot that has held ``value``."""
    if value == 0.0:
        return Linear(3.0 if slot.whole else 0.1)
    if SHARES_FROM <= value < 1.0:
        return Share()
    return Log(math.copysign(1.0, value), slot.whole)
