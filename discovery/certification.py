"""Certification: the best programs are scored again on instances that did not exist during the search (D10, D11).

What a certificate promises. Programs are tried one after another until one certificate holds, i.e. has its whole
interval above 0. So that many tries do not make up for a lack of merit, the k-th try of a run (k = 1, 2, ...) takes an
interval of confidence 1 - 0.05 / (k (k + 1)). These errors sum to at most 0.05 however many tries there are, on common
instances or not (Bonferroni): with a probability of 95 % all intervals on the certificates of a run hold the true
score, and the chance that a run certifies a program which is no better than the baseline is half of the rest, 2.5 %.

What it does not cover: the unit (the reference's gain as measured on the fresh instances), and of several runs the
user's choice of the best one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..archive import Certified, RunState, certifies
from ..evaluators import Calibration, Evaluation, Evaluator, State, TaskFolder, calibrate
from ..evaluators.consistency import inconsistency
from ..evaluators.scoring import CONFIDENCE
from ..sandbox import Backend, Sandbox, open_sandbox
from .secrets import certification_secret

MAX_TRIES = 10
"""How many programs, best first, are tried before the run ends without a certificate."""

MAX_QUARANTINED = 3
"""How many quarantined programs are tried, so that forgeries cannot use up the tries."""

PURPOSE, AGAIN = "certify", "certify again"

SETS = 6
"""Independent draws of instances that a certification puts together."""

Measure = Callable[[str, float], Evaluation]
"""A program's evaluation on fresh instances, with an interval of the given confidence."""


def confidence_of(attempt: int) -> float:
    """Of the ``attempt``-th try of a run, counted from 1."""
    return 1 - (1 - CONFIDENCE) / (attempt * (attempt + 1))


def candidates(state: RunState, first: Sequence[str] = ()) -> list[str]:
    """What is tried at the end of a run: ``first``, quarantined programs, the ranking; none where one is certified.

    Programs that were tried already, and the baseline itself, are left out.
    """
    if state.certified_best is not None:
        return []
    done = {state.baseline, *state.certificates}
    suspects = (*first, *state.quarantined[:MAX_QUARANTINED])
    ranked = [program for program in state.ranking(MAX_TRIES + 1) if program not in done]
    return [program for program in dict.fromkeys((*suspects, *ranked[:MAX_TRIES])) if program not in done]


def tries(state: RunState, programs: Sequence[str], measure: Measure) -> Iterator[Certified]:
    """Certificates of the programs in their order, until one holds. Fold each before the next."""
    for program in programs:
        evaluation = measure(program, confidence_of(len(state.certificates) + 1))
        found = state.evaluation_of(program).score
        gap = None if found is None or evaluation.score is None else found - evaluation.score
        yield Certified(program=program, evaluation=evaluation, gap=gap)
        if certifies(evaluation):
            return


def certify(
    folder: TaskFolder, state: RunState, programs: Sequence[str], secret: bytes, backend: Backend
) -> Iterator[Certified]:
    """The tries in a sandbox. Baseline and reference are measured on the fresh instances, so the scale is theirs.

    Raises: TaskError, SandboxError.
    """
    if not programs:
        return
    with contextlib.closing(open_sandbox(folder.spec(backend))) as sandbox:
        yield from tries(state, programs, _Fresh(folder, state, sandbox, certification_secret(secret)).measure)


class _Fresh:
    """Measures programs on instances of the certification's secret."""

    def __init__(self, folder: TaskFolder, state: RunState, sandbox: Sandbox, secret: bytes) -> None:
        self._folder = folder
        self._state = state
        self._sandbox = sandbox
        self._secret = secret
        self._calibrations: dict[str, Calibration] = {}

    def measure(self, program: str, confidence: float) -> Evaluation:
        """An implausible program, here or in the search, must hold on two draws and be consistent (D12)."""
        files = self._state.program(program).files
        suspect = program in self._state.quarantined
        if not suspect:
            evaluation = self._evaluate(files, program, PURPOSE, confidence, gate=True)
            if evaluation.state is not State.QUARANTINED:
                return evaluation
        return self._doubted(files, program, confidence)

    def _doubted(self, files: Mapping[str, str], program: str, confidence: float) -> Evaluation:
        """The lower of two evaluations, QUARANTINED where the program is not consistent."""
        both = [self._evaluate(files, program, purpose, confidence, gate=False) for purpose in (PURPOSE, AGAIN)]
        worse = min(both, key=lambda one: (certifies(one), one.interval.low if one.interval else 0.0))
        if worse.state is not State.VALID:
            return worse
        problem = inconsistency(self._folder, self._sandbox, self._secret, files, program)
        if problem is None:
            said = "implausible, and confirmed on two draws of fresh instances"
            return worse.model_copy(update={"feedback": f"{worse.feedback}\n{said}"})
        update = {"state": State.QUARANTINED, "score": None, "interval": None}
        return worse.model_copy(update=update | {"feedback": f"{worse.feedback}\n{problem}"})

    def _evaluate(
        self, files: Mapping[str, str], program: str, purpose: str, confidence: float, *, gate: bool
    ) -> Evaluation:
        if purpose not in self._calibrations:
            self._calibrations[purpose] = calibrate(
                self._folder, self._sandbox, self._secret, purpose=purpose, sets=SETS
            )
        evaluator = Evaluator(self._folder, self._sandbox, self._secret, self._calibrations[purpose])
        return evaluator.evaluate(files, program, confidence=confidence, gate=gate)
