"""Many instances in one process on a device: what compiles does so once, and is not timed.

A program is warmed up by the first instance of each kind of shapes: compilers specialise on shapes, and a device's
clock rises with its load. Every later instance has inputs that nobody in the process knew before the clock started.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from ..sandbox import CandidateFailed, Limits, Sandbox
from .evaluation import State
from .styles import Session
from .task import Instance, Task
from .trial import Trial, Used, settled


def warming(instances: Sequence[Instance]) -> list[Instance]:
    """The first instance of each kind of shapes."""
    first: dict[Hashable, Instance] = {}
    for instance in instances:
        first.setdefault(_shapes(instance.inputs), instance)
    return list(first.values())


def with_warm_up(some: Sequence[Instance], instances: Sequence[Instance]) -> list[Instance]:
    """Those of ``instances`` that warm up, then ``some``."""
    warm = warming(instances)
    names = {instance.name for instance in warm}
    return [*warm, *(instance for instance in some if instance.name not in names)]


def tried(
    task: Task, sandbox: Sandbox, files: Mapping[str, str], instances: Sequence[Instance], limits: Limits
) -> list[tuple[str, Trial]]:
    """Name and trial of each instance, in a fresh process for all, up to the first that is not VALID.

    CPU seconds are shared out evenly. The judge runs when the device is free again. Raises: SandboxError.
    """
    session = Session(sandbox, files, limits)
    outputs: list[Any] = []
    failed = None
    try:
        with session.on_device() as process:
            process.place([instance.inputs for instance in instances])
            process.load()
            for number in range(len(instances)):
                outputs.append(process.run(task.entry.name, number))
    except CandidateFailed as failure:
        failed = failure
    cpu, peak, said = session.cpu_seconds / len(instances), session.peak_memory, session.stdout
    trials: list[tuple[str, Trial]] = []
    for instance, output, timing in zip(instances, outputs, session.timings, strict=False):
        trial = settled(task, instance, Used(cpu, timing.span, peak, said, timing), output, None, None)
        trials.append((instance.name, trial))
        if trial.state is not State.VALID:
            return trials
    if failed is not None:
        used = Used(cpu, session.wall_seconds, peak, said, None)
        trials.append((instances[len(outputs)].name, settled(task, instances[len(outputs)], used, None, None, failed)))
    return trials


def _shapes(inputs: Mapping[str, Any]) -> Hashable:
    return tuple(
        (name, value.dtype.str, value.shape) if isinstance(value, np.ndarray) else (name,)
        for name, value in sorted(inputs.items())
    )
