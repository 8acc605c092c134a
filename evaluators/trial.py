"""One program on one instance: run it, judge it, measure it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..sandbox import CandidateFailed, Failure, Limits, Sandbox, SandboxError, Timing
from ..sandbox.text import bounded_text
from .checks import Rejected
from .evaluation import State
from .oracle import CallLog
from .styles import Session, drive
from .task import Instance, Measure, Task, Verdict

MAIN = "program.py"
LEAST_CPU = 0.05
"""Seconds; a multiple of the baseline's is never less."""

STATES = {
    Failure.CRASHED: State.CRASHED,
    Failure.TIMEOUT: State.TIMEOUT,
    Failure.MEMORY: State.MEMORY,
    Failure.FORBIDDEN: State.FORBIDDEN,
    Failure.MALFORMED: State.INVALID,
}


MAX_NOTE = 500
"""Characters of a judge's note."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one run. ``value`` is the objective's and exists where the state is VALID.

    ``message`` may hold the candidate's own words, ``note`` is the judge's.
    """

    state: State
    value: float | None
    metrics: Mapping[str, float]
    note: str
    message: str
    stdout: str
    output: Any
    cpu_seconds: float
    wall_seconds: float
    peak_memory: int
    oracle_cost: float
    log: CallLog | None = None


def attempt(task: Task, sandbox: Sandbox, files: Mapping[str, str], instance: Instance, limits: Limits) -> Trial:
    """Raises: SandboxError, which is never the program's fault."""
    return attempt_in(Session(sandbox, files, limits), task, instance)


def attempt_in(session: Session, task: Task, instance: Instance) -> Trial:
    """As ``attempt``, in a session that was made for it."""
    output, log, failed = None, None, None
    try:
        output, log = drive(task, instance, session)
    except CandidateFailed as failure:
        failed = failure
    except SandboxError:
        raise
    except Exception as error:  # noqa: BLE001 - drivers and oracles read what the candidate says: they too must be total
        return _of(task, State.INVALID, _unreadable(error), Used.by(session), output, log)
    return settled(task, instance, Used.by(session), output, log, failed)


@dataclass(frozen=True, slots=True)
class Used:
    """What a run used and wrote; seconds and bytes."""

    cpu_seconds: float
    wall_seconds: float
    peak_memory: int
    stdout: str
    timing: Timing | None

    @classmethod
    def by(cls, session: Session) -> Used:
        timing = session.timings[-1] if session.timings else None
        return cls(session.cpu_seconds, session.wall_seconds, session.peak_memory, session.stdout, timing)


def settled(
    task: Task, instance: Instance, used: Used, output: Any, log: CallLog | None, failed: CandidateFailed | None
) -> Trial:
    """The judge's word on an output, or how the run ``failed``. Raises: SandboxError of a judge in a jail."""
    if failed is not None:
        return _of(task, STATES[failed.failure], Verdict(False), used, output, log, failed.message)
    verdict = judged(task, instance, output, log)
    return _of(task, State.VALID if verdict.valid else State.INVALID, verdict, used, output, log)


def _of(
    task: Task, state: State, verdict: Verdict, used: Used, output: Any, log: CallLog | None, message: str = ""
) -> Trial:
    cost = log.spent if log else 0.0
    value = _value(task, verdict, used, cost) if state is State.VALID else None
    if state is State.VALID and value is None:
        state = State.INVALID
    return Trial(
        state=state,
        value=value,
        metrics={**verdict.metrics, **_clocks(task, used.timing)},
        note=verdict.note,
        message=message,
        stdout=used.stdout,
        output=output,
        cpu_seconds=used.cpu_seconds,
        wall_seconds=used.wall_seconds,
        peak_memory=used.peak_memory,
        oracle_cost=cost,
        log=log,
    )


def _clocks(task: Task, timing: Timing | None) -> dict[str, float]:
    """What lies behind a time on a device: the span, what was taken off, and what the device's own clock claims."""
    if timing is None or task.objective.measure is not Measure.DEVICE_SECONDS:
        return {}
    clocks = {"span_seconds": timing.span, "way_seconds": timing.way, "claimed_seconds": timing.device_clock}
    return {name: value for name, value in clocks.items() if math.isfinite(value)}


def judged(task: Task, instance: Instance, output: Any, log: CallLog | None) -> Verdict:
    """The judge's verdict; metrics that are not finite make it INVALID. Raises: SandboxError of a judge in a jail."""
    try:
        verdict = task.judge(instance, output, log)
        if not isinstance(verdict, Verdict):
            return Verdict.invalid("the judge did not return a Verdict")
        metrics = {str(name): float(value) for name, value in verdict.metrics.items()}
    except SandboxError:
        raise
    except Exception as error:  # noqa: BLE001 - a judge must be total; where it is not, the output gets nothing (D9)
        return _unreadable(error)
    if verdict.valid and not all(map(math.isfinite, metrics.values())):
        return Verdict.invalid("a metric is not finite")
    return Verdict(bool(verdict.valid), metrics, bounded_text(str(verdict.note), MAX_NOTE))


def _unreadable(error: Exception) -> Verdict:
    if isinstance(error, Rejected):
        return Verdict.invalid(bounded_text(str(error), MAX_NOTE))
    return Verdict.invalid(f"the output could not be read ({type(error).__name__})")


def _value(task: Task, verdict: Verdict, used: Used, oracle_cost: float) -> float | None:
    measure = task.objective.measure
    if measure is Measure.METRIC:
        value = verdict.metrics.get(task.objective.name)
        return None if value is None else float(value)
    return {
        Measure.CPU_SECONDS: used.cpu_seconds,
        Measure.WALL_SECONDS: used.wall_seconds,
        Measure.DEVICE_SECONDS: None if used.timing is None else used.timing.work,
        Measure.PEAK_MEMORY: float(used.peak_memory),
        Measure.ORACLE_COST: oracle_cost,
    }[measure]


def generous(limits: Limits) -> Limits:
    """Limits for the task's own programs, so that a slow machine does not fail them."""
    return replace(limits, cpu_seconds=3 * limits.cpu_seconds, wall_seconds=3 * limits.wall_seconds)


def limits_for(task: Task, baseline_cpu: float | None) -> Limits:
    """The candidate's limits on an instance: as declared, or a multiple of what the baseline used on it."""
    factor = task.limits.cpu_times_baseline
    if factor is None or baseline_cpu is None:
        return task.limits.run
    return replace(task.limits.run, cpu_seconds=max(LEAST_CPU, factor * baseline_cpu))
