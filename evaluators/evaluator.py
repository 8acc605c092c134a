"""Scores programs: smoke gate, then the full instances, each program run apart from judge and clock."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence

import numpy as np

from ..sandbox import Sandbox, SandboxError
from .calibration import MAIN, Calibration, draw, generous, limits_for
from .evaluation import Evaluation, InstanceResult, State
from .feedback import describe, kind_of_failure
from .loader import TaskFolder
from .scoring import aggregate, gain, score
from .task import Constraint, Instance, Size
from .trial import Trial, attempt

HOPELESS = -0.05
"""A first repeat this far behind the baseline (log of the ratio of times) decides: the others are not run."""


TRIES = 3
"""How often an evaluation is begun before it is put down to the machine."""


class Evaluator:
    """Evaluates programs of one task in one sandbox; used by one thread.

    Objectives that the harness clocks are measured against the baseline, repeat by repeat, on instances of the
    program's own; others on instances that all programs share, where the baseline's values are in the calibration.
    """

    def __init__(self, folder: TaskFolder, sandbox: Sandbox, secret: bytes, calibration: Calibration) -> None:
        self._folder = folder
        self._task = folder.task
        self._sandbox = sandbox
        self._secret = secret
        self._calibration = calibration
        self._shared: dict[tuple[str, str], Sequence[Instance]] = {}

    def evaluate(
        self, files: Mapping[str, str], program_id: str, *, size: Size = "default", purpose: str = "search"
    ) -> Evaluation:
        """Never raises for what the program does.

        A failing sandbox, or a clocked baseline that is not VALID on an instance, is tried again, on other instances
        where they are the program's own; then the state is INFRA.
        """
        said = ""
        for number in range(TRIES):
            try:
                return self._evaluate(files, f"{program_id}.{number}", size, purpose)
            except SandboxError as error:
                said = str(error)
        return Evaluation(state=State.INFRA, size=size, feedback=said, tier=self._sandbox.tier)

    def _evaluate(self, files: Mapping[str, str], program_id: str, size: Size, purpose: str) -> Evaluation:
        results: list[InstanceResult] = []
        printed = ""
        if size != "smoke":
            for instance in self._instances("smoke", purpose):
                trial = attempt(self._task, self._sandbox, files, instance, self._task.limits.run)
                result = self._result(instance, [trial], None, own_words=True)
                printed += trial.stdout
                if result.state is not State.VALID:
                    return self._evaluation([result], "smoke", files, printed)
        for instance in self._instances(size, purpose, program_id):
            result = self._measure(files, instance, own_words=size == "smoke")
            results.append(result)
            if result.state is not State.VALID:
                break
        return self._evaluation(results, size, files, printed)

    def _instances(self, size: Size, purpose: str, program_id: str | None = None) -> Sequence[Instance]:
        sets = self._calibration.sets if size == self._calibration.size else 1
        if program_id is not None and self._task.objective.measure.timed:
            return draw(self._task, self._secret, size, purpose, program_id=program_id, sets=sets)
        key = (size, purpose)
        if key not in self._shared:
            self._shared[key] = draw(self._task, self._secret, size, purpose, sets=sets)
        return self._shared[key]

    def _measure(self, files: Mapping[str, str], instance: Instance, own_words: bool) -> InstanceResult:
        if not self._task.objective.measure.timed:
            limits = limits_for(self._task, self._calibration.baseline_cpu.get(instance.name))
            trial = attempt(self._task, self._sandbox, files, instance, limits)
            return self._result(
                instance, [trial], self._gain(trial, self._calibration.baseline.get(instance.name)), own_words
            )
        trials: list[Trial] = []
        gains: list[float] = []
        for _ in range(self._task.repeats):
            baseline = attempt(
                self._task, self._sandbox, {MAIN: self._folder.baseline}, instance, generous(self._task.limits.run)
            )
            if baseline.state is not State.VALID:
                raise SandboxError(f"the baseline became {baseline.state.value} on instance '{instance.name}'")
            limits = limits_for(self._task, baseline.cpu_seconds)
            trials.append(attempt(self._task, self._sandbox, files, instance, limits))
            ahead = self._gain(trials[-1], baseline.value)
            if ahead is None:
                break
            gains.append(ahead)
            if gains[0] < HOPELESS:
                break
        return self._result(instance, trials, float(np.median(gains)) if gains else None, own_words)

    def _gain(self, trial: Trial, baseline: float | None) -> float | None:
        if trial.value is None or baseline is None:
            return None
        return gain(self._task.objective, trial.value, baseline)

    def _result(
        self, instance: Instance, trials: Sequence[Trial], ahead: float | None, own_words: bool
    ) -> InstanceResult:
        last = trials[-1]
        values = [trial.value for trial in trials if trial.value is not None]
        state, note = last.state, last.note
        if state is State.VALID:
            broken = [rule for rule in self._task.objective.constraints if not self._holds(rule, instance, last)]
            if broken:
                state = State.INVALID
                note = f"{note} {broken[0].metric} must be {broken[0].relation} {broken[0].bound:g}".strip()
            elif self._below_floor(instance, values):
                state, note = State.QUARANTINED, "faster than the task's physical floor"
        else:
            note = note or (last.message if own_words else kind_of_failure(state, last.message))
        return InstanceResult(
            name=instance.name,
            state=state,
            note=note,
            value=float(np.median(values)) if values and state is State.VALID else None,
            gain=ahead if state is State.VALID else None,
            metrics=dict(last.metrics),
            cpu_seconds=float(np.median([trial.cpu_seconds for trial in trials])),
            wall_seconds=float(np.median([trial.wall_seconds for trial in trials])),
            peak_memory=max(trial.peak_memory for trial in trials),
            oracle_cost=last.oracle_cost,
        )

    def _holds(self, rule: Constraint, instance: Instance, trial: Trial) -> bool:
        value = trial.metrics.get(rule.metric, math.nan)
        bound = rule.bound
        if rule.relative_to is not None:
            calibration = self._calibration
            metrics = calibration.baseline_metrics if rule.relative_to == "baseline" else calibration.reference_metrics
            if instance.name not in metrics:
                return True
            bound *= metrics[instance.name].get(rule.metric, math.nan)
        return value <= bound if rule.relation == "<=" else value >= bound

    def _below_floor(self, instance: Instance, values: Sequence[float]) -> bool:
        floor = self._task.floor
        return floor is not None and bool(values) and min(values) < floor(instance)

    def _evaluation(
        self, results: Sequence[InstanceResult], size: str, files: Mapping[str, str], printed: str
    ) -> Evaluation:
        state = next((result.state for result in results if result.state is not State.VALID), State.VALID)
        gains = [result.gain for result in results if result.gain is not None]
        scored = state is State.VALID and len(gains) == len(results)
        number, interval = score(gains, self._calibration.reference_gain) if scored else (None, None)
        scored = number is not None and math.isfinite(number)
        if state is State.VALID and not scored:
            state, number, interval = State.INVALID, None, None
        if scored and self._suspicious(float(np.mean(gains))):
            state, number, interval = State.QUARANTINED, None, None
        metrics = _means([result.metrics for result in results])
        own = _harness(results, files)
        names = [axis.name for axis in self._task.descriptors]
        return Evaluation(
            state=state,
            size=size,
            score=number,
            interval=interval,
            value=aggregate(self._task.objective, [r.value for r in results if r.value is not None])
            if scored
            else None,
            metrics=metrics,
            descriptors={name: (metrics | own)[name] for name in names if name in metrics or name in own},
            feedback=describe(state, results, printed),
            cpu_seconds=own["cpu_seconds"],
            wall_seconds=sum(result.wall_seconds for result in results),
            peak_memory=int(own["peak_memory"]),
            tier=self._sandbox.tier,
            instances=tuple(results),
        )

    def _suspicious(self, ahead: float) -> bool:
        """Whether the gain over the reference's is implausible (D11)."""
        margin = ahead - self._calibration.reference_gain
        if self._task.objective.scale == "log":
            return margin > math.log(self._task.suspicious_ratio)
        return margin > self._task.suspicious_ratio * self._calibration.reference_gain


def _means(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = {name for one in metrics for name in one}
    return {name: float(np.mean([one[name] for one in metrics if name in one])) for name in sorted(names)}


def _harness(results: Sequence[InstanceResult], files: Mapping[str, str]) -> dict[str, float]:
    """What the harness itself measures; available as descriptors of any task."""
    return {
        "code_size": float(sum(_nodes(text) for text in files.values())),
        "cpu_seconds": sum(result.cpu_seconds for result in results),
        "peak_memory": float(max((result.peak_memory for result in results), default=0)),
        "oracle_cost": sum(result.oracle_cost for result in results),
    }


def _nodes(source: str) -> int:
    """AST nodes, as a measure of size that layout and names do not change; 0 where the source does not parse."""
    try:
        return sum(1 for _ in ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        return 0
