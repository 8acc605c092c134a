"""The run's scale: baseline and reference as measured on this machine, on the run's own instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from ..sandbox import Sandbox
from .behaviour import behaviour_of
from .evaluation import Evaluation, Record, State, percent
from .hardware.ceilings import Ceilings
from .hardware.measuring import Tell
from .hardware.roofline import Roof, roof
from .hardware.store import ceilings_for, on_stderr
from .loader import TaskError, TaskFolder
from .scoring import aggregate, ahead, gain, geometric_mean
from .seeds import draw, numbered_draw
from .task import Instance, Objective, Size, Task
from .timing import BaselineFailed, compared, draws_needed, fresh_instances
from .trial import MAIN, Trial, attempt, generous

TRIES = 3
"""Draws of instances before a task whose own programs fail is refused."""


class Calibration(Record):
    """Values by instance name. ``reference_gain`` is the reference's mean gain: the unit of the score.

    Of a ``clocked`` task it is the median gain, and ``sets`` is the number of fresh draws that a program is timed on.

    ``baseline_value`` and ``reference_value`` are aggregated over the instances, ``baseline_cpu`` is in seconds.
    Of a task without a reference ``one`` is the name of what counts as 1, and ``reference_value`` the value there.
    """

    size: str
    purpose: str
    sets: int
    clocked: bool = False
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
    smoke_tells: bool = False
    """Whether baseline and reference do different things on the smoke instances, as programs that differ should."""
    one: str = ""
    ceilings: Ceilings | None = None
    """Of this machine, where the task says what its instances ask of the hardware."""
    least_seconds: dict[str, float] = Field(default_factory=dict)
    """What the hardware needs at least, by instance name; of a clocked task that says so."""

    @property
    def baseline_roofline(self) -> float | None:
        """Geometric mean of the baseline's fractions of the hardware's limit, where it is known."""
        return self._roofline(self.baseline)

    @property
    def reference_roofline(self) -> float | None:
        return self._roofline(self.reference)

    def nearness(self, evaluation: Evaluation) -> str:
        """The program's own, and what baseline and reference reach; empty where it is not known."""
        own = evaluation.nearness
        known = {"baseline": self.baseline_roofline, "reference": self.reference_roofline}
        others = ", ".join(f"{name} {percent(fraction)}" for name, fraction in known.items() if fraction is not None)
        return f"{own}; {others}" if own and others else own

    def _roofline(self, seconds: dict[str, float]) -> float | None:
        fractions = [least / seconds[name] for name, least in self.least_seconds.items() if name in seconds]
        return geometric_mean(fractions)

    @property
    def top(self) -> str:
        """What stands at 1 on the scale, for people."""
        return self.one or "reference (paper)"


class OwnProgramFailed(TaskError):
    """Baseline or reference is not VALID on an instance; on another draw they may be."""


def calibrate(
    folder: TaskFolder,
    sandbox: Sandbox,
    secret: bytes,
    size: Size = "default",
    purpose: str = "search",
    sets: int = 1,
    tell: Tell = on_stderr,
) -> Calibration:
    """Measure both programs, interleaved, on ``sets`` draws of instances; of a task without a reference the baseline.

    A clocked task takes ``sets`` times as many draws as one measurement of it needs. Where a program of the task fails
    on an instance, others are drawn, and those of all evaluations on this scale with them (its ``purpose`` tells).
    Of a task that says what its instances ask of the hardware, this machine's ceilings are looked up, or measured after
    ``tell`` was told.
    Raises: TaskError where it fails again and again, or the reference does not beat the baseline; SandboxError.
    """
    ceilings = ceilings_for(folder.task, tell)
    for number in range(1, TRIES):
        try:
            drawn = purpose if number == 1 else f"{purpose}, draw {number}"
            return _calibrated(folder, sandbox, secret, size, drawn, sets, ceilings)
        except OwnProgramFailed:
            continue
    return _calibrated(folder, sandbox, secret, size, f"{purpose}, draw {TRIES}", sets, ceilings)


def _calibrated(
    folder: TaskFolder,
    sandbox: Sandbox,
    secret: bytes,
    size: Size,
    purpose: str,
    sets: int,
    ceilings: Ceilings | None,
) -> Calibration:
    found = _measured(folder, sandbox, secret, size, purpose, sets, roof(folder.task, ceilings))
    names, pairs = found.names, found.pairs
    objective, unit = folder.task.objective, folder.task.unit
    gains = tuple(gain(objective, _value(reference), _value(baseline)) for baseline, reference in pairs if reference)
    by_name = dict(zip(names, pairs, strict=True))
    baseline = {name: _value(pair[0]) for name, pair in by_name.items()}
    reference = {name: _value(pair[1]) for name, pair in by_name.items() if pair[1]}
    baseline_value = aggregate(objective, list(baseline.values()))
    return Calibration(
        size=size,
        purpose=purpose,
        sets=found.draws,
        clocked=objective.measure.timed,
        tier=sandbox.tier,
        baseline=baseline,
        reference=reference,
        baseline_metrics={name: dict(pair[0].metrics) for name, pair in by_name.items()},
        reference_metrics={name: dict(pair[1].metrics) for name, pair in by_name.items() if pair[1]},
        baseline_cpu={name: pair[0].cpu_seconds for name, pair in by_name.items()},
        reference_gain=unit.gain if unit else _positive(folder, _typical(objective, gains)),
        gains=gains,
        baseline_value=baseline_value,
        reference_value=ahead(objective, baseline_value, unit.gain)
        if unit
        else aggregate(objective, list(reference.values())),
        smoke_tells=_smoke_tells(folder, sandbox, secret, purpose),
        one=unit.name if unit else "",
        ceilings=ceilings,
        least_seconds=found.least_seconds,
    )


def _typical(objective: Objective, gains: Sequence[float]) -> float:
    return float(np.median(gains) if objective.measure.timed else np.mean(gains))


Pair = tuple[Trial, Trial | None]
"""Baseline and, where there is one, reference on one instance."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """Names of the instances, what was measured on them, the number of draws, and what the hardware needs at least."""

    names: list[str]
    pairs: list[Pair]
    draws: int
    least_seconds: dict[str, float] = field(default_factory=dict)


def _measured(
    folder: TaskFolder, sandbox: Sandbox, secret: bytes, size: Size, purpose: str, sets: int, limit: Roof | None
) -> _Measured:
    if folder.task.objective.measure.timed:
        return _clocked(folder, sandbox, secret, size, purpose, sets, limit)
    instances = draw(folder.task, secret, size, purpose, sets=sets)
    names = [instance.name for instance in _some(folder.task, size, instances)]
    return _Measured(names, [_pair(folder, sandbox, instance) for instance in instances], sets)


def _clocked(
    folder: TaskFolder, sandbox: Sandbox, secret: bytes, size: Size, purpose: str, sets: int, limit: Roof | None
) -> _Measured:
    """On instances of the calibration's own, as clocked programs have theirs."""
    task, name = folder.task, "calibration"
    per_draw = len(_some(task, size, numbered_draw(task, secret, size, purpose, 0, program_id=name)))
    draws = sets * draws_needed(task, per_draw)
    found = _Measured([], [], draws)
    instances = fresh_instances(task, secret, size, purpose, name, draws)
    try:
        others = () if folder.reference is None else ({MAIN: folder.reference},)
        for one in compared(folder, sandbox, others, instances, own=True):
            found.names.append(one.instance.name)
            reference = _own(task, one.instance, "reference", one.trials[0]) if one.trials else None
            found.pairs.append((one.baseline, reference))
            if limit is not None:
                found.least_seconds[one.instance.name] = limit.least(one.instance)
    except BaselineFailed as error:
        raise OwnProgramFailed(str(error)) from error
    return found


def _smoke_tells(folder: TaskFolder, sandbox: Sandbox, secret: bytes, purpose: str) -> bool:
    """Not where there is no reference: then nobody knows."""
    if folder.reference is None:
        return False
    task, instances = folder.task, draw(folder.task, secret, "smoke", purpose)
    limits = generous(task.limits.run)

    def behaviour(source: str) -> str:
        return behaviour_of([attempt(task, sandbox, {MAIN: source}, instance, limits) for instance in instances])

    return behaviour(folder.baseline) != behaviour(folder.reference)


def _some(task: Task, size: Size, instances: Sequence[Instance]) -> Sequence[Instance]:
    if not instances:
        raise TaskError(f"task '{task.id}' has no instances of size '{size}'")
    return instances


def _pair(folder: TaskFolder, sandbox: Sandbox, instance: Instance) -> Pair:
    baseline = _valid(folder, sandbox, instance, "baseline", folder.baseline)
    if folder.reference is None:
        return baseline, None
    return baseline, _valid(folder, sandbox, instance, "reference", folder.reference)


def _valid(folder: TaskFolder, sandbox: Sandbox, instance: Instance, name: str, source: str) -> Trial:
    task = folder.task
    return _own(task, instance, name, attempt(task, sandbox, {MAIN: source}, instance, generous(task.limits.run)))


def _own(task: Task, instance: Instance, name: str, trial: Trial) -> Trial:
    """The trial of one of the task's own programs. Raises: OwnProgramFailed where it is not VALID."""
    if trial.state is not State.VALID or trial.value is None:
        why = trial.message or trial.note or "no value for the objective"
        raise OwnProgramFailed(
            f"the {name} of task '{task.id}' is {trial.state.value} on instance '{instance.name}': {why}"
        )
    return trial


def _value(trial: Trial) -> float:
    assert trial.value is not None
    return trial.value


def _positive(folder: TaskFolder, reference_gain: float) -> float:
    if not reference_gain > 0:
        raise TaskError(
            f"the reference of task '{folder.task.id}' does not beat its baseline here, so there is no scale: "
            f"see 'speciate check {folder.task.id}'"
        )
    return reference_gain
