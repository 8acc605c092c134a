"""Clocked objectives: programs take turns on the same fresh inputs, and what counts is the ratio.

Every run is a process of its own, billed from fork to exit by a clock outside it, with numeric libraries on one thread
(``sandbox/jail.py``). There is no warm-up: nothing of a program is left from one run to the next.

One instance gives one value, the gain of one run over one run of the baseline next to it, and every value has an
instance that the program has not met before. So the values are independent, and their spread holds both what differs
from instance to instance and the noise of the clock. The order of the programs is reversed on every other instance
(AB BA AB BA ...): an advantage of going second, or a machine that slows down, shifts half of the values up and half of
them down.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..sandbox import Sandbox, SandboxError
from .device import tried, warming, with_warm_up
from .evaluation import Interval, State
from .loader import TaskFolder
from .scoring import gain, mean_interval, median_score
from .seeds import numbered_draw
from .task import Instance, Objective, Size, Task
from .trial import MAIN, Trial, attempt, generous, limits_for

FEWEST = 8
"""Values of a measurement: [min, max] of eight covers the median in 99.2 % of the cases, of six in 96.9 %."""

LOOKS = range(3, FEWEST + 1)
"""After so many values a program may be given up."""

LOOK_CONFIDENCE = 0.999
"""Of each look; together they err in 0.3 % of the cases at most."""

CLOCKED_CONFIDENCE = 0.98
"""Of the order statistics behind an interval of 95 %: the rest is for the looks and for the noise of real clocks, which
is neither quite independent nor quite symmetric."""

Files = Mapping[str, str]


class BaselineFailed(SandboxError):
    """The baseline is not VALID on an instance: other instances may be drawn."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Baseline and programs on one instance. ``gains`` are the programs' over the baseline, None where not VALID."""

    instance: Instance
    baseline: Trial
    trials: tuple[Trial, ...]
    gains: tuple[float | None, ...]


def draws_needed(task: Task, per_draw: int) -> int:
    """How many draws of ``per_draw`` instances a measurement takes. On a device the first one only warms up."""
    measured = max(task.repeats, math.ceil(FEWEST / per_draw))
    return measured + 1 if task.limits.gpus > 0 else measured


def fresh_instances(
    task: Task, secret: bytes, size: Size, purpose: str, program_id: str, draws: int
) -> Iterator[Instance]:
    """Instances of this measurement alone, drawn when they are asked for."""
    for number in range(draws):
        yield from numbered_draw(task, secret, size, purpose, number, program_id=program_id)


def compared(
    folder: TaskFolder, sandbox: Sandbox, programs: Sequence[Files], instances: Iterable[Instance], *, own: bool = False
) -> Iterator[Comparison]:
    """The programs and the baseline, taking turns on each instance. ``own`` programs of the task get generous limits.

    Raises: BaselineFailed; SandboxError.
    """
    if folder.task.limits.gpus > 0:
        yield from _on_device(folder, sandbox, programs, list(instances), own)
        return
    for number, instance in enumerate(instances):
        yield _compare(folder, sandbox, programs, instance, number % 2 == 1, own)


def _compare(
    folder: TaskFolder, sandbox: Sandbox, programs: Sequence[Files], instance: Instance, backwards: bool, own: bool
) -> Comparison:
    task = folder.task
    unbound = generous(task.limits.run)
    baseline = None if backwards else _baseline(folder, sandbox, instance)
    trials: dict[int, Trial] = {}
    for place in reversed(range(len(programs))) if backwards else range(len(programs)):
        limits = unbound if own else limits_for(task, None if baseline is None else baseline.cpu_seconds)
        trials[place] = attempt(task, sandbox, programs[place], instance, limits)
    if baseline is None:
        baseline = _baseline(folder, sandbox, instance)
    bound = unbound if own else limits_for(task, baseline.cpu_seconds)
    within = tuple(_within(trials[place], bound.cpu_seconds) for place in range(len(programs)))
    return Comparison(instance, baseline, within, tuple(_gain(task.objective, trial, baseline) for trial in within))


def _on_device(
    folder: TaskFolder, sandbox: Sandbox, programs: Sequence[Files], instances: Sequence[Instance], own: bool
) -> Iterator[Comparison]:
    """Each program in one process of its own for all instances, since it compiles in each (see device.py).

    The baseline is timed before the programs on one half of the instances and after them on the other, so that a device
    that slows down shifts half of the values up and half of them down. An instance that is the first of its shapes
    warms a program up: what comes out is judged, and only a failure is told.
    """
    task = folder.task
    unbound = generous(task.limits.run)
    halves = instances[::2], instances[1::2]
    baseline = {MAIN: folder.baseline}
    trials: dict[str, Trial] = dict(tried(task, sandbox, baseline, with_warm_up(halves[0], instances), unbound))
    limits = unbound if own else task.limits.run
    others = [dict(tried(task, sandbox, files, with_warm_up(instances, instances), limits)) for files in programs]
    trials |= dict(tried(task, sandbox, baseline, with_warm_up(halves[1], instances), unbound))
    warm = {instance.name for instance in warming(instances)}
    for instance in instances:
        theirs = [found[instance.name] for found in others if instance.name in found]
        if len(theirs) < len(others):
            return
        first = _sound(task, instance, trials[instance.name])
        failed = any(trial.state is not State.VALID for trial in theirs)
        if instance.name not in warm or failed:
            yield Comparison(instance, first, tuple(theirs), tuple(_gain(task.objective, t, first) for t in theirs))


def _baseline(folder: TaskFolder, sandbox: Sandbox, instance: Instance) -> Trial:
    task = folder.task
    return _sound(task, instance, attempt(task, sandbox, {MAIN: folder.baseline}, instance, generous(task.limits.run)))


def _sound(task: Task, instance: Instance, trial: Trial) -> Trial:
    """The baseline's. Raises: BaselineFailed."""
    if trial.state is not State.VALID or trial.value is None:
        why = trial.message or trial.note or "no value for the objective"
        raise BaselineFailed(
            f"the baseline of task '{task.id}' is {trial.state.value} on instance '{instance.name}': {why}"
        )
    return trial


def _within(trial: Trial, cpu_seconds: float) -> Trial:
    """A program that ran before the baseline had only the task's own limit; the baseline's time bounds it too."""
    if trial.state is not State.VALID or trial.cpu_seconds <= cpu_seconds:
        return trial
    return replace(trial, state=State.TIMEOUT, value=None, message=f"used more than {cpu_seconds:g} s of CPU")


def _gain(objective: Objective, trial: Trial, baseline: Trial) -> float | None:
    if trial.value is None or baseline.value is None:
        return None
    return gain(objective, trial.value, baseline.value)


def hopeless(gains: Sequence[float]) -> bool:
    """Whether the values so far decide that a program is behind, so that the others need not be taken.

    Giving up can only count against a program, so that no claim of a gain rests on it.
    """
    return len(gains) in LOOKS and mean_interval(gains, LOOK_CONFIDENCE).high < 0


def clocked_score(gains: Sequence[float], reference_gain: float, confidence: float) -> tuple[float, Interval]:
    """Median gain over the reference's, and an interval of at least ``confidence`` however the program was stopped."""
    number, interval = median_score(gains, reference_gain, max(confidence, CLOCKED_CONFIDENCE))
    return number, interval.model_copy(update={"confidence": confidence})
