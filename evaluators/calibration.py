"""The run's scale: baseline and reference as measured on this machine, on the run's own instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..sandbox import Limits, Sandbox
from .evaluation import Record, State
from .loader import TaskError, TaskFolder
from .scoring import aggregate, gain
from .seeds import instance_rng
from .task import Instance, Size, Task
from .trial import Trial, attempt

MAIN = "program.py"
LEAST_CPU = 0.05
"""Seconds; a multiple of the baseline's is never less."""

TRIES = 3
"""Draws of instances before a task whose own programs fail is refused."""


class Calibration(Record):
    """Values by instance name. ``reference_gain`` is the reference's mean gain: the unit of the score.

    ``baseline_value`` and ``reference_value`` are aggregated over the instances, ``baseline_cpu`` is in seconds.
    """

    size: str
    purpose: str
    sets: int
    tier: str
    baseline: dict[str, float]
    reference: dict[str, float]
    baseline_metrics: dict[str, dict[str, float]]
    reference_metrics: dict[str, dict[str, float]]
    baseline_cpu: dict[str, float]
    reference_gain: float
    gains: tuple[float, ...]
    baseline_value: float
    reference_value: float


def draw(
    task: Task, secret: bytes, size: Size, purpose: str, *, program_id: str | None = None, sets: int = 1
) -> Sequence[Instance]:
    """Instances of the program's own, or (``program_id`` None) those that all programs of a run meet.

    ``sets`` independent draws are put together, for a narrower interval.
    """
    if sets == 1:
        return task.instances(instance_rng(secret, purpose, size, program_id), size)
    return [
        replace(instance, name=f"{instance.name}.{number}")
        for number in range(sets)
        for instance in task.instances(instance_rng(secret, f"{purpose}.{number}", size, program_id), size)
    ]


def calibrate(
    folder: TaskFolder,
    sandbox: Sandbox,
    secret: bytes,
    size: Size = "default",
    purpose: str = "search",
    sets: int = 1,
) -> Calibration:
    """Measure both programs, interleaved, on ``sets`` draws of instances, those that the evaluations will use.

    Raises: TaskError where one of them is not VALID or the reference does not beat the baseline; SandboxError.
    """
    instances, pairs = _measured(folder, sandbox, secret, size, purpose, sets)
    gains = tuple(_median_gain(folder.task, pair) for pair in pairs)
    names = [instance.name for instance in instances]
    baseline = {name: _median([trial.value for trial in pair[0]]) for name, pair in zip(names, pairs, strict=True)}
    reference = {name: _median([trial.value for trial in pair[1]]) for name, pair in zip(names, pairs, strict=True)}
    objective = folder.task.objective
    return Calibration(
        size=size,
        purpose=purpose,
        sets=sets,
        tier=sandbox.tier,
        baseline=baseline,
        reference=reference,
        baseline_metrics={name: dict(pair[0][0].metrics) for name, pair in zip(names, pairs, strict=True)},
        reference_metrics={name: dict(pair[1][0].metrics) for name, pair in zip(names, pairs, strict=True)},
        baseline_cpu={
            name: float(np.median([trial.cpu_seconds for trial in pair[0]]))
            for name, pair in zip(names, pairs, strict=True)
        },
        reference_gain=_positive(folder, float(np.mean(gains))),
        gains=gains,
        baseline_value=aggregate(objective, list(baseline.values())),
        reference_value=aggregate(objective, list(reference.values())),
    )


Pair = tuple[list[Trial], list[Trial]]


def _measured(
    folder: TaskFolder, sandbox: Sandbox, secret: bytes, size: Size, purpose: str, sets: int
) -> tuple[Sequence[Instance], list[Pair]]:
    """Clocked programs get instances of their own, so others can be drawn where a program of the task fails on one."""
    own = folder.task.objective.measure.timed
    failed: TaskError | None = None
    for number in range(TRIES if own else 1):
        program_id = f"calibration.{number}" if own else None
        instances = draw(folder.task, secret, size, purpose, program_id=program_id, sets=sets)
        if not instances:
            raise TaskError(f"task '{folder.task.id}' has no instances of size '{size}'")
        try:
            return instances, [_pair(folder, sandbox, instance) for instance in instances]
        except TaskError as error:
            failed = error
    assert failed is not None
    raise failed


def _pair(folder: TaskFolder, sandbox: Sandbox, instance: Instance) -> Pair:
    task = folder.task
    repeats = task.repeats if task.objective.measure.timed else 1
    baseline: list[Trial] = []
    reference: list[Trial] = []
    for _ in range(repeats):
        baseline.append(_valid(folder, sandbox, instance, "baseline", folder.baseline))
        reference.append(_valid(folder, sandbox, instance, "reference", folder.reference))
    return baseline, reference


def _valid(folder: TaskFolder, sandbox: Sandbox, instance: Instance, name: str, source: str) -> Trial:
    task = folder.task
    trial = attempt(task, sandbox, {MAIN: source}, instance, generous(task.limits.run))
    if trial.state is not State.VALID or trial.value is None:
        why = trial.message or trial.note or "no value for the objective"
        raise TaskError(f"the {name} of task '{task.id}' is {trial.state.value} on instance '{instance.name}': {why}")
    return trial


def generous(limits: Limits) -> Limits:
    """Limits for the task's own programs, so that a slow machine does not fail them."""
    return replace(limits, cpu_seconds=3 * limits.cpu_seconds, wall_seconds=3 * limits.wall_seconds)


def _median_gain(task: Task, pair: Pair) -> float:
    gains = [
        gain(task.objective, reference.value, baseline.value)
        for baseline, reference in zip(*pair, strict=True)
        if reference.value is not None and baseline.value is not None
    ]
    return float(np.median(gains))


def _median(values: Sequence[float | None]) -> float:
    return float(np.median([value for value in values if value is not None]))


def _positive(folder: TaskFolder, reference_gain: float) -> float:
    if not reference_gain > 0:
        raise TaskError(
            f"the reference of task '{folder.task.id}' does not beat its baseline here, so there is no scale: "
            f"see 'speciate check {folder.task.id}'"
        )
    return reference_gain


def limits_for(task: Task, baseline_cpu: float | None) -> Limits:
    """The candidate's limits on an instance: as declared, or a multiple of what the baseline used on it."""
    factor = task.limits.cpu_times_baseline
    if factor is None or baseline_cpu is None:
        return task.limits.run
    return replace(task.limits.run, cpu_seconds=max(LEAST_CPU, factor * baseline_cpu))
