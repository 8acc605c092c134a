"""What the trials of a program add up to: a result per instance, then the evaluation."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence

import numpy as np

from .calibration import Calibration
from .evaluation import Evaluation, InstanceResult, Interval, Roofline, State
from .feedback import describe, kind_of_failure
from .hardware.roofline import roof
from .scoring import CONFIDENCE, aggregate, geometric_mean, score
from .seeds import kind_of
from .syntax import code_size
from .task import Constraint, Instance, Task
from .timing import clocked_score
from .trial import Trial


class Assembly:
    """``gate``: whether implausible gains are QUARANTINED (D11)."""

    def __init__(
        self, task: Task, calibration: Calibration, tier: str, confidence: float = CONFIDENCE, gate: bool = True
    ) -> None:
        self._task = task
        self._calibration = calibration
        self._tier = tier
        self._confidence = confidence
        self._gate = gate
        self._roof = roof(task, calibration.ceilings)

    def result(
        self,
        instance: Instance,
        trial: Trial,
        ahead: float | None,
        *,
        own_words: bool = False,
        baseline: Trial | None = None,
    ) -> InstanceResult:
        """``ahead`` is the gain over the baseline, ``baseline`` its trial on this very instance where there was one."""
        state, note = trial.state, trial.note
        reached = self._reached(instance, trial)
        if state is State.VALID:
            rules = self._task.objective.constraints
            broken = [rule for rule in rules if not self._holds(rule, instance, trial, baseline)]
            if broken:
                state = State.INVALID
                note = f"{note} {broken[0].metric} must be {broken[0].relation} {broken[0].bound:g}".strip()
            elif self._gate and (why := self._too_fast(instance, trial, reached)):
                state, note = State.QUARANTINED, why
        else:
            note = note or (trial.message if own_words else kind_of_failure(state, trial.message))
        return InstanceResult(
            name=instance.name,
            state=state,
            note=note,
            value=trial.value if state is State.VALID else None,
            gain=ahead if state is State.VALID else None,
            metrics=dict(trial.metrics),
            cpu_seconds=trial.cpu_seconds,
            wall_seconds=trial.wall_seconds,
            peak_memory=trial.peak_memory,
            oracle_cost=trial.oracle_cost,
            roofline=reached,
        )

    def _holds(self, rule: Constraint, instance: Instance, trial: Trial, baseline: Trial | None) -> bool:
        value = trial.metrics.get(rule.metric, math.nan)
        bound = rule.bound
        if rule.relative_to == "baseline" and baseline is not None:
            bound *= baseline.metrics.get(rule.metric, math.nan)
        elif rule.relative_to is not None:
            calibration = self._calibration
            metrics = calibration.baseline_metrics if rule.relative_to == "baseline" else calibration.reference_metrics
            if instance.name not in metrics:
                return True
            bound *= metrics[instance.name].get(rule.metric, math.nan)
        return value <= bound if rule.relation == "<=" else value >= bound

    def _reached(self, instance: Instance, trial: Trial) -> Roofline | None:
        """How near to the hardware's limit a VALID trial came, in the seconds that the objective counts, or of CPU."""
        if self._roof is None or trial.state is not State.VALID:
            return None
        counted = trial.value if self._task.objective.measure.timed else None
        return self._roof.over(instance, trial.cpu_seconds if counted is None else counted)

    def _too_fast(self, instance: Instance, trial: Trial, reached: Roofline | None) -> str:
        """Why its cost is below what is physically possible, in words (D11); empty where it is not."""
        floor = self._task.floor
        if floor is not None and trial.value is not None and trial.value < floor(instance):
            return "faster than the task's physical floor"
        return self._roof.excess(reached) if self._roof is not None and reached is not None else ""

    def evaluation(
        self, results: Sequence[InstanceResult], size: str, files: Mapping[str, str], printed: str = ""
    ) -> Evaluation:
        state = next((result.state for result in results if result.state is not State.VALID), State.VALID)
        gains = [result.gain for result in results if result.gain is not None]
        scored = state is State.VALID and len(gains) == len(results) and all(map(math.isfinite, gains))
        number, interval = self._score(gains, results) if scored else (None, None)
        scored = number is not None and math.isfinite(number)
        if state is State.VALID and not scored:
            state, number, interval = State.INVALID, None, None
        if number is not None and self._gate and self._suspicious(number * self._calibration.reference_gain):
            state, number, interval = State.QUARANTINED, None, None
        metrics = _means([result.metrics for result in results])
        share = self._share(results)
        own = _harness(results, files, share)
        names = [axis.name for axis in self._task.descriptors]
        values = [result.value for result in results if result.value is not None]
        fractions = [result.roofline.fraction for result in results if result.roofline is not None]
        return Evaluation(
            state=state,
            size=size,
            score=number,
            interval=interval,
            value=aggregate(self._task.objective, values) if scored else None,
            metrics=metrics,
            descriptors={name: (metrics | own)[name] for name in names if name in metrics or name in own},
            feedback=describe(state, results, printed),
            cpu_seconds=own["cpu_seconds"],
            wall_seconds=share * sum(result.wall_seconds for result in results),
            peak_memory=int(own["peak_memory"]),
            tier=self._tier,
            load=os.getloadavg()[0] / len(os.sched_getaffinity(0)),
            roofline=geometric_mean(fractions) if len(fractions) == len(results) else None,
            instances=tuple(results),
        )

    def _score(self, gains: Sequence[float], results: Sequence[InstanceResult]) -> tuple[float, Interval]:
        unit = self._calibration.reference_gain
        if self._task.objective.measure.timed:
            return clocked_score(gains, unit, self._confidence)
        return score(gains, [kind_of(result.name) for result in results], unit, self._confidence)

    def _suspicious(self, ahead: float) -> bool:
        """Whether the gain over the reference's is implausible (D11)."""
        margin = ahead - self._calibration.reference_gain
        if self._task.objective.scale == "log":
            return margin > math.log(self._task.suspicious_ratio)
        return margin > self._task.suspicious_ratio * self._calibration.reference_gain

    def _share(self, results: Sequence[InstanceResult]) -> float:
        """Of a clocked program's costs, what one draw takes: how many draws were timed must move no descriptor."""
        calibration = self._calibration
        if not self._task.objective.measure.timed or not results or results[0].name not in calibration.baseline:
            return 1.0
        return len(calibration.baseline) / calibration.sets / len(results)


def _means(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = {name for one in metrics for name in one}
    return {name: float(np.mean([one[name] for one in metrics if name in one])) for name in sorted(names)}


def _harness(results: Sequence[InstanceResult], files: Mapping[str, str], share: float) -> dict[str, float]:
    """What the harness itself measures; available as descriptors of any task."""
    return {
        "code_size": float(sum(code_size(text) for text in files.values())),
        "cpu_seconds": share * sum(result.cpu_seconds for result in results),
        "peak_memory": float(max((result.peak_memory for result in results), default=0)),
        "oracle_cost": share * sum(result.oracle_cost for result in results),
    }
