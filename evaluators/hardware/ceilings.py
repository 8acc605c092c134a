"""The most that a machine was seen to do: bytes and floating-point operations per second, by device."""

from __future__ import annotations

from typing import get_args

from ..evaluation import Record
from ..task import Precision
from .machine import Machine

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""From the least precise to the most."""


class Bandwidth(Record):
    """Bytes per second among data that fit into one level of the memory.

    ``capacity`` is in bytes, None for the last level; a copy counts what it reads and what it writes.
    """

    level: str
    capacity: int | None
    copied: float
    read: float

    @property
    def best(self) -> float:
        return max(self.copied, self.read)

    def at_least(self, other: Bandwidth) -> Bandwidth:
        faster = {"copied": max(self.copied, other.copied), "read": max(self.read, other.read)}
        return self.model_copy(update=faster)


class Rates(Record):
    """One device: a GPU, or ``threads`` cores of the CPU; ``bandwidths`` has the smallest level first.

    ``flops`` are per second, in products of matrices; None where the device has no such arithmetic, or nothing
    installed here does it. ``launch_seconds`` is what a GPU takes for the least of kernels.
    """

    device: str
    threads: int | None = None
    bandwidths: tuple[Bandwidth, ...]
    flops: dict[Precision, float | None]
    launch_seconds: float | None = None

    def bandwidth(self, size: float) -> float:
        """The most bytes per second among ``size`` different bytes: of any level that holds them."""
        return max(one.best for one in self.bandwidths if one.capacity is None or one.capacity >= size)

    def arithmetic(self, precision: Precision) -> float:
        """The most operations per second in this precision or a higher one."""
        allowed = PRECISIONS[PRECISIONS.index(precision) :]
        return max(rate for name in allowed if (rate := self.flops.get(name)) is not None)

    def at_least(self, part: Rates) -> Rates:
        """Not slower than a ``part`` of the device, such as one of its cores, whatever was measured."""
        moved = [one.at_least(other) for one, other in zip(self.bandwidths, part.bandwidths, strict=True)]
        flops = {name: larger(rate, part.flops.get(name)) for name, rate in self.flops.items()}
        return self.model_copy(update={"bandwidths": tuple(moved), "flops": flops})


def larger(one: float | None, other: float | None) -> float | None:
    """Of two rates that may be unknown."""
    return max((rate for rate in (one, other) if rate is not None), default=None)


class Ceilings(Record):
    """What was measured on ``machine`` in ``seconds``, until ``measured_at`` (UTC), and the ``load`` per core before.

    ``cpu`` has one core first, then all that may be used; ``missing`` says in words what could not be measured.
    """

    machine: Machine
    cpu: tuple[Rates, ...]
    gpus: tuple[Rates, ...] = ()
    missing: tuple[str, ...] = ()
    measured_at: str
    load: float
    seconds: float

    def of_cores(self, count: float) -> Rates:
        """The rates of the fewest cores measured that are at least so many, else of all."""
        return next((rates for rates in self.cpu if (rates.threads or 0) >= count), self.cpu[-1])
