"""Whether a drafted task is sound: found out by running it, all code of the draft in jails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...evaluators import Direction, Instance, State, TaskError, TaskFolder, Verdict, check_task, load_task
from ...evaluators.jailed import PROBLEM, JudgeFailed
from ...evaluators.lint import lint
from ...evaluators.probes import imitation, random_like
from ...evaluators.scoring import aggregate
from ...evaluators.seeds import instance_rng
from ...evaluators.trial import MAIN, attempt, generous
from ...sandbox import Backend, Sandbox, open_sandbox
from ...sandbox.inside.wire import encode
from ..llm.edits import Unusable

SEEDS = 3
PER_SEED = 2
"""Instances that are tried."""
SECRET = b"formulation"
HARNESS = ("code_size", "cpu_seconds", "peak_memory")
"""What the harness itself measures of every program."""


def prove(place: Path, backend: Backend) -> None:
    """Raises: Unusable with the first thing that is wrong with the task in ``place``, for its author; SandboxError."""
    try:
        folder = load_task(str(place))
        for problem in lint(folder):
            raise Unusable(problem)
        with open_sandbox(folder.spec(backend)) as sandbox:
            _Trials(folder, sandbox).run()
            result = check_task(folder, sandbox)
    except TaskError as error:
        raise Unusable(str(error).replace(f"{place.resolve()}/", "")) from None
    if not result.ok:
        raise Unusable(result.reason)


class _Trials:
    """What is tried before the whole check, so that the words name the cause: programs of the task on several seeds,
    the judge twice on one output, then on outputs that are wrong.
    """

    def __init__(self, folder: TaskFolder, sandbox: Sandbox) -> None:
        self._folder = folder
        self._task = folder.task
        self._sandbox = sandbox

    def run(self) -> None:
        """Raises: Unusable, TaskError, SandboxError."""
        baseline: list[float] = []
        reference: list[float] = []
        random: list[float] = []
        noticed = False
        for seed in range(SEEDS):
            rng = instance_rng(SECRET, "formulation", "default", str(seed))
            for instance in self._task.instances(rng, "default")[:PER_SEED]:
                output, verdict = self._own("baseline", self._folder.baseline, instance)
                baseline.append(self._value(verdict))
                reference.append(self._value(self._own("reference", self._folder.programs["reference"], instance)[1]))
                self._deterministic(instance, output, verdict)
                self._rejects_malformed(instance, output)
                guess = imitation(output, lambda one, rng=rng: random_like(one, rng))
                wrong = None if _same(guess, output) else self._verdict(instance, guess)
                if wrong is not None and wrong.valid:
                    random.append(self._value(wrong))
                noticed = noticed or wrong is None or wrong != verdict
        if not noticed:
            raise Unusable("the judge says of random outputs what it says of the baseline's: it does not look at them")
        self._directed(baseline, reference, random)

    def _own(self, name: str, source: str, instance: Instance) -> tuple[Any, Verdict]:
        """Output and verdict of a program of the task, which must be VALID."""
        task, where = self._task, f"on instance '{instance.name}'"
        trial = attempt(task, self._sandbox, {MAIN: source}, instance, generous(task.limits.run))
        if trial.state in (State.CRASHED, State.TIMEOUT, State.MEMORY, State.FORBIDDEN):
            raise Unusable(f"{name}.py is {trial.state.value} {where}: {trial.message}")
        try:
            verdict = task.judge(instance, trial.output, None)
        except JudgeFailed as failed:
            raise Unusable(f"the judge in {PROBLEM} fails on the {name}'s output {where}: {failed}") from None
        if verdict.valid and task.objective.name not in verdict.metrics:
            given = ", ".join(verdict.metrics) or "none"
            raise Unusable(
                f"the judge gives no metric '{task.objective.name}', which is the objective: it gives {given}"
            )
        strange = [axis.name for axis in task.descriptors if axis.name not in {*verdict.metrics, *HARNESS}]
        if verdict.valid and strange:
            raise Unusable(
                f"descriptor '{strange[0]}' is neither a metric of the judge nor one of {', '.join(HARNESS)}"
            )
        if trial.state is not State.VALID:
            raise Unusable(f"the output of {name}.py is {trial.state.value} {where}: {verdict.note or trial.note}")
        return trial.output, verdict

    def _value(self, verdict: Verdict) -> float:
        return float(verdict.metrics[self._task.objective.name])

    def _verdict(self, instance: Instance, output: Any) -> Verdict | None:
        """None where the judge fails, which accepts nothing."""
        try:
            return self._task.judge(instance, output, None)
        except JudgeFailed:
            return None

    def _deterministic(self, instance: Instance, output: Any, verdict: Verdict) -> None:
        again = self._verdict(instance, output)
        if again != verdict:
            said = "nothing" if again is None else dict(again.metrics) or again.note
            raise Unusable(
                f"the judge is not deterministic: of one output it says {dict(verdict.metrics)}, then {said}"
            )

    def _rejects_malformed(self, instance: Instance, output: Any) -> None:
        wrong = {"None": None, "a text": "text", "NaN in place of its numbers": imitation(output, _holes)}
        for name, value in wrong.items():
            verdict = self._verdict(instance, value)
            if verdict is not None and verdict.valid and not _same(value, output):
                raise Unusable(f"the judge accepts {name} as an output on instance '{instance.name}'")

    def _directed(self, baseline: Sequence[float], reference: Sequence[float], random: Sequence[float]) -> None:
        """Whether better means better: the reference must be ahead, random outputs must not."""
        objective = self._task.objective
        sign = 1.0 if objective.direction is Direction.MAXIMIZE else -1.0
        if objective.scale == "log" and min(*baseline, *reference) + objective.floor <= 0:
            raise Unusable(f"'{objective.name}' is not always positive: use a linear scale, or a floor")
        standard, better = aggregate(objective, baseline), aggregate(objective, reference)
        aim = f"'{objective.name}' is to be {objective.direction.value}d"
        if sign * better <= sign * standard:
            raise Unusable(
                f"{aim}, but it is {better:.6g} for the reference and {standard:.6g} for the baseline: the direction "
                "is wrong, the judge's metric is turned round, or the reference is not better"
            )
        if len(random) == len(baseline) and sign * float(np.median(random)) >= sign * float(np.median(baseline)):
            raise Unusable(
                f"{aim}, and it is {np.median(random):.6g} for random outputs and {np.median(baseline):.6g} for the "
                "baseline's (medians): the judge does not verify the constraints, or the direction is wrong"
            )


def _holes(array: np.ndarray) -> np.ndarray:
    return np.full(array.shape, np.nan)


def _same(one: Any, other: Any) -> bool:
    return b"".join(map(bytes, encode(one))) == b"".join(map(bytes, encode(other)))
