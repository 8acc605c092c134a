"""Scores programs: smoke gate, then the full instances, each program run apart from judge and clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..sandbox import Sandbox, SandboxError
from .assembly import Assembly
from .behaviour import behaviour_of
from .calibration import Calibration
from .duel import Duel, decide
from .evaluation import Evaluation, InstanceResult, State
from .gate import NOTHING, Known
from .loader import TaskFolder
from .scoring import CONFIDENCE, gain
from .seeds import draw, number_of, numbered_draw
from .task import Instance, Size
from .timing import Files, compared, fresh_instances, hopeless
from .trace import Trace
from .tracing import telling, trace
from .trial import Trial, attempt, limits_for

TRIES = 3
"""How often an evaluation is begun before it is put down to the machine."""

DRAWS = 4
"""Further draws of smoke instances in which a counterexample is looked for."""

REFUTED = (State.CRASHED, State.INVALID)
"""How a counterexample ends; what a program takes of time and memory is another matter at the size of an evaluation."""

T = TypeVar("T")


class Evaluator:
    """Evaluates programs of one task in one sandbox; used by one thread.

    Objectives that the harness clocks are measured against the baseline, run by run, on instances of the program's
    own; others on instances that all programs share, where the baseline's values are in the calibration.
    """

    def __init__(self, folder: TaskFolder, sandbox: Sandbox, secret: bytes, calibration: Calibration) -> None:
        self._folder = folder
        self._task = folder.task
        self._sandbox = sandbox
        self._secret = secret
        self._calibration = calibration
        self._shared: dict[str, Sequence[Instance]] = {}
        self._drawn: dict[int, Sequence[Instance]] = {}

    def evaluate(
        self,
        files: Files,
        program_id: str,
        *,
        size: Size = "default",
        confidence: float = CONFIDENCE,
        gate: bool = True,
        known: Known = NOTHING,
    ) -> Evaluation:
        """Never raises for what the program does. Without ``gate`` an implausible gain is scored, not QUARANTINED.

        A program that fails on the smoke instances, or of which enough is ``known``, goes no further.

        A failing sandbox, or a clocked baseline that is not VALID on an instance, is tried again, on other instances
        where they are the program's own; then the state is INFRA.
        """
        assembly = Assembly(self._task, self._calibration, self._sandbox.tier, confidence, gate)

        def once(number: int) -> Evaluation:
            return self._evaluate(assembly, files, f"{program_id}.{number}", size, known)

        done, said = _tried(once)
        return done or Evaluation(state=State.INFRA, size=size, feedback=said, tier=self._sandbox.tier)

    def duel(self, challenger: Files, elite: Files, name: str, *, size: Size = "default") -> Duel | None:
        """Two programs of a clocked task with the baseline on fresh instances; None where the machine fails.

        A challenger that wins is timed once more, since its luck was part of the victory: ``ahead`` is from the first
        time, the evaluations from the second. ``name`` makes the instances: another one gives unrelated ones.
        """
        assembly = Assembly(self._task, self._calibration, self._sandbox.tier)

        def once(part: str) -> Duel:
            instances = fresh_instances(self._task, self._secret, size, "duel", f"{name}.{part}", self._draws(size))
            comparisons = compared(self._folder, self._sandbox, (challenger, elite), instances)
            return decide(assembly, comparisons, challenger, elite, size)

        def both(number: int) -> Duel:
            first = once(f"{number}")
            return once(f"{number}.won").model_copy(update={"ahead": first.ahead}) if first.won else first

        return _tried(both)[0]

    def trace(self, files: Files, evaluation: Evaluation) -> Trace | None:
        """What the program's lines do on a smoke instance (see tracing.py); None where the machine fails."""
        failed = evaluation.instances[-1].name if evaluation.size == "smoke" else ""
        instance = telling([*self._instances("smoke"), *self._later(number_of(failed))], evaluation)
        return _tried(lambda number: trace(self._task, self._sandbox, files, instance))[0]

    def _evaluate(self, assembly: Assembly, files: Files, program_id: str, size: Size, known: Known) -> Evaluation:
        printed, behaviour = "", ""
        missed: tuple[str, ...] = ()
        if size != "smoke":
            smoke = self._smoke(assembly, files, known.counterexamples)
            if smoke.failed is not None:
                failed_on = smoke.failed.instances[-1].name
                if not known.probe or failed_on not in known.counterexamples:
                    return smoke.failed
                missed = (failed_on,)
            printed, behaviour = smoke.printed, smoke.behaviour
            if behaviour in known.behaviours:
                tier = self._sandbox.tier
                return Evaluation(state=State.VALID, size="smoke", tier=tier, behaviour=behaviour, gated=True)
        measure = self._clocked if self._task.objective.measure.timed else self._unclocked
        evaluation = assembly.evaluation(measure(assembly, files, program_id, size), size, files, printed)
        return evaluation.model_copy(update={"behaviour": behaviour, "missed": missed})

    def smoke(self, files: Files, counterexamples: Sequence[str] = ()) -> Evaluation | None:
        """What ``evaluate`` would say of a program that fails on a smoke instance; None for one that does not.

        Raises: SandboxError.
        """
        return self._smoke(self._assembly(), files, counterexamples).failed

    def counterexample(self, files: Files, sound: Sequence[Files]) -> Evaluation | None:
        """What happens on the first smoke instance of further draws on which the program fails and none of the
        ``sound`` ones does; None where there is none, or the machine fails.
        """
        return _tried(lambda number: self._refuted(files, sound))[0]

    def _refuted(self, files: Files, sound: Sequence[Files]) -> Evaluation | None:
        assembly = self._assembly()
        for instance in (instance for number in range(DRAWS) for instance in self._later(number)):
            trial, result = self._tiny(assembly, files, instance)
            if result.state not in REFUTED:
                continue
            if all(self._tiny(assembly, one, instance)[1].state is State.VALID for one in sound):
                return assembly.evaluation([result], "smoke", files, trial.stdout)
        return None

    def _smoke(self, assembly: Assembly, files: Files, counterexamples: Sequence[str]) -> _Smoke:
        trials: list[Trial] = []
        behaviour = ""
        met = [one for name in counterexamples for one in self._later(number_of(name)) if one.name == name]
        usual = self._instances("smoke")
        for number, instance in enumerate([*usual, *met], 1):
            trial, result = self._tiny(assembly, files, instance)
            trials.append(trial)
            if result.state is not State.VALID:
                printed = "".join(trial.stdout for trial in trials)
                failed = assembly.evaluation([result], "smoke", files, printed)
                return _Smoke(printed, failed.model_copy(update={"gated": True}), behaviour)
            if number == len(usual) and not self._task.objective.measure.timed:
                behaviour = behaviour_of(trials)
        return _Smoke("".join(trial.stdout for trial in trials), behaviour=behaviour)

    def _tiny(self, assembly: Assembly, files: Files, instance: Instance) -> tuple[Trial, InstanceResult]:
        """One run on a smoke instance: the only ones where what the program itself says is passed on."""
        trial = attempt(self._task, self._sandbox, files, instance, self._task.limits.run)
        return trial, assembly.result(instance, trial, None, own_words=True)

    def _assembly(self) -> Assembly:
        return Assembly(self._task, self._calibration, self._sandbox.tier)

    def _later(self, number: int | None) -> Sequence[Instance]:
        """The smoke instances of a further draw."""
        if number is None:
            return ()
        if number not in self._drawn:
            self._drawn[number] = numbered_draw(self._task, self._secret, "smoke", self._calibration.purpose, number)
        return self._drawn[number]

    def _unclocked(self, assembly: Assembly, files: Files, program_id: str, size: Size) -> list[InstanceResult]:
        results: list[InstanceResult] = []
        calibration = self._calibration
        for instance in self._instances(size):
            limits = limits_for(self._task, calibration.baseline_cpu.get(instance.name))
            trial = attempt(self._task, self._sandbox, files, instance, limits)
            ahead = self._gain(trial, calibration.baseline.get(instance.name))
            results.append(assembly.result(instance, trial, ahead, own_words=size == "smoke"))
            if results[-1].state is not State.VALID:
                break
        return results

    def _clocked(self, assembly: Assembly, files: Files, program_id: str, size: Size) -> list[InstanceResult]:
        results: list[InstanceResult] = []
        instances = fresh_instances(
            self._task, self._secret, size, self._calibration.purpose, program_id, self._draws(size)
        )
        for one in compared(self._folder, self._sandbox, (files,), instances):
            trial, ahead = one.trials[0], one.gains[0]
            own_words = size == "smoke"
            results.append(assembly.result(one.instance, trial, ahead, own_words=own_words, baseline=one.baseline))
            gains = [result.gain for result in results if result.gain is not None]
            if results[-1].state is not State.VALID or hopeless(gains):
                break
        return results

    def _instances(self, size: Size) -> Sequence[Instance]:
        """What all programs share. A smoke gate is one draw, also of a clocked task."""
        timed = self._task.objective.measure.timed
        sets = self._calibration.sets if size == self._calibration.size and not timed else 1
        if size not in self._shared:
            self._shared[size] = draw(self._task, self._secret, size, self._calibration.purpose, sets=sets)
        return self._shared[size]

    def _draws(self, size: Size) -> int:
        return self._calibration.sets if size == self._calibration.size else 1

    def _gain(self, trial: Trial, baseline: float | None) -> float | None:
        if trial.value is None or baseline is None:
            return None
        return gain(self._task.objective, trial.value, baseline)


@dataclass(frozen=True, slots=True)
class _Smoke:
    """The gate: what a program printed there, and how it failed or what it did."""

    printed: str
    failed: Evaluation | None = None
    behaviour: str = ""


def _tried(once: Callable[[int], T]) -> tuple[T | None, str]:
    """What the first try gives that the machine does not fail, else None and what it said."""
    said = ""
    for number in range(TRIES):
        try:
            return once(number), said
        except SandboxError as error:
            said = str(error)
    return None, said
