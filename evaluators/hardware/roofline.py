"""The least that the hardware needs for an instance, and how near to it a program came.

The roofline model (Williams, Waterman and Patterson 2009): a program is bound by arithmetic or by moving data,
whichever takes longer. Its bandwidth is that of the smallest level of the memory which holds the data, as in the
cache-aware form (Ilic, Pratas and Sousa 2014): input may still be in a cache, where the memory's speed bounds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..evaluation import Roofline
from ..task import Instance, Measure, Task
from .ceilings import Ceilings, Rates

SLACK = 1.5
"""A ceiling is what libraries were seen to reach, on a machine that may have been busy: a program may reach more. So
only what is faster than this factor allows is called impossible."""


@dataclass(frozen=True, slots=True)
class Roof:
    """What the hardware allows on the instances of a task; ``binds`` where a faster program is implausible."""

    task: Task
    rates: Rates
    binds: bool

    def over(self, instance: Instance, seconds: float) -> Roofline | None:
        """How near ``seconds`` come to it; None where the instance asks nothing, or no time was measured."""
        arithmetic, memory = self._arithmetic(instance), self._memory(instance)
        least = max(arithmetic, memory)
        if not least > 0 or not seconds > 0:
            return None
        bound = "arithmetic" if arithmetic > memory else "memory"
        return Roofline(seconds=least, fraction=least / seconds, bound=bound)

    def least(self, instance: Instance) -> float:
        """Seconds."""
        return max(self._arithmetic(instance), self._memory(instance))

    def excess(self, reached: Roofline) -> str:
        """Why a program is too fast to be believed, in words; empty where it is not."""
        if not self.binds or reached.fraction <= SLACK:
            return ""
        needs = "to move the data" if reached.bound == "memory" else "for the arithmetic"
        took = reached.seconds / reached.fraction
        return f"took {took:.2g} s, where the hardware needs {reached.seconds:.2g} s {needs}"

    def _arithmetic(self, instance: Instance) -> float:
        flops = self.task.flops(instance) if self.task.flops else 0.0
        return flops / self.rates.arithmetic(self.task.precision)

    def _memory(self, instance: Instance) -> float:
        size = self.task.bytes(instance) if self.task.bytes else 0.0
        return size / self.rates.bandwidth(size)


def declared(task: Task) -> bool:
    """Whether the task says what its instances ask of the hardware."""
    return task.flops is not None or task.bytes is not None


def roof(task: Task, ceilings: Ceilings | None) -> Roof | None:
    """None where the task says nothing of its instances, or its device was not measured.

    CPU seconds add up over threads, so that the rates of one core bound them on any number of cores. Nothing keeps a
    program to ``limits.cpus`` cores, so that these bound no wall time; it is only compared with them.
    """
    if ceilings is None or not declared(task):
        return None
    measure = task.objective.measure
    if task.limits.gpus:
        return Roof(task, ceilings.gpus[0], measure.timed) if ceilings.gpus else None
    if measure is Measure.WALL_SECONDS:
        return Roof(task, ceilings.of_cores(task.limits.cpus), False)
    return Roof(task, ceilings.of_cores(1), measure is Measure.CPU_SECONDS)


def input_bytes(instance: Instance) -> float:
    """Bytes of its arrays, which arrive in a process whatever its program does with them."""
    return array_bytes(instance.inputs)


def array_bytes(value: Any) -> int:
    """Bytes of the arrays within plain data, such as an output."""
    if isinstance(value, np.ndarray | np.generic):
        return value.nbytes
    if isinstance(value, Mapping):
        return sum(array_bytes(one) for one in value.values())
    return sum(array_bytes(one) for one in value) if isinstance(value, list | tuple) else 0
