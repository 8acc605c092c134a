"""Evaluators of OpenEvolve's, SkyDiscover's and ShinkaEvolve's forms.

OpenEvolve's ``evaluate(program_path)`` runs the program itself, so both share a process (``SharedEvaluator``).
ShinkaEvolve's names a function of the program and calls it with arguments: so the evaluator runs in a jail of its own,
and the function in another one (``Experiment``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...evaluators import CallLog, Instance, OracleRefused, Rejected, Session, Size, Verdict
from ...evaluators.jailed import Jail, JudgeFailed
from ...evaluators.trial import MAIN
from ...sandbox import CandidateFailed, Limits
from .inside import driver

SCORE = "combined_score"
REPEATS = 3
"""Evaluations of a program in one draw, each with other seeds: what they differ by is the score's interval."""
SMOKE = "first stage"
"""Name of the smoke instance: of a cascade only the first stage, else an evaluation like the others."""
DRIVER = driver("evaluator")


def instances(rng: np.random.Generator, size: Size) -> list[Instance]:
    """Evaluations, which have no inputs; the secret is the seed of the evaluator's random numbers."""
    names = [SMOKE] if size == "smoke" else [f"evaluation {number}" for number in range(1, REPEATS + 1)]
    return [Instance(name, {}, int(rng.integers(2**63))) for name in names]


def judge(instance: Instance, output: object, log: CallLog | None) -> Verdict:
    """What the evaluator reported: valid with its numbers, invalid with its error. Raises: Rejected."""
    match output:
        case {"metrics": dict(metrics), "error": str(error), "feedback": str(feedback)}:
            pass
        case _:
            raise Rejected("the evaluator reported nothing that can be read")
    if error:
        return Verdict.invalid(error)
    numbers = {name: value for name, value in metrics.items() if isinstance(value, float)}
    if not numbers:
        return Verdict.invalid("the evaluator reported no numbers")
    return Verdict(True, {SCORE: sum(numbers.values()) / len(numbers), **numbers}, feedback)


class SharedEvaluator:
    """``file`` in ``folder`` evaluates a program in one process with it: it may answer what it likes."""

    def __init__(self, folder: Path, file: str, form: Literal["openevolve", "shinka"]) -> None:
        self._ask = {"file": file, "form": form}
        if not (folder / file).is_file():
            raise FileNotFoundError(f"{folder / file} is missing")

    def drive(self, instance: Instance, session: Session) -> Any:
        """Raises: CandidateFailed, SandboxError."""
        asked = {"source": session.files[MAIN], "seed": instance.secret, "smoke": instance.name == SMOKE}
        with session.evaluator(DRIVER) as process:
            return process.call("evaluated", {**self._ask, **asked})


class Experiment:
    """``file`` in ``folder`` evaluates calls of the program's function ``entry``; ``imports`` are the evaluator's."""

    def __init__(self, folder: Path, file: str, entry: str, imports: tuple[str, ...], limits: Limits) -> None:
        self._entry = entry
        self._ask = {"file": file, "form": "shinka", "source": None}
        self._jail = Jail(DRIVER, imports, folder, limits)

    def drive(self, instance: Instance, session: Session) -> Any:
        """Raises: CandidateFailed; JudgeFailed where the evaluator fails by itself; SandboxError."""
        calls = _Calls(session, self._entry)
        try:
            said = self._jail.call("evaluated", {**self._ask, "seed": instance.secret, "smoke": False}, calls)
        except CandidateFailed as failed:
            raise calls.failed or JudgeFailed(failed.message) from None
        if calls.failed is not None:
            raise calls.failed
        return said


class _Calls:
    """Serves the evaluator's calls of the program, each in a fresh process of the program's jail."""

    def __init__(self, session: Session, entry: str) -> None:
        self._session = session
        self._entry = entry
        self.failed: CandidateFailed | None = None

    def serve(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Raises: OracleRefused, after which the evaluation counts as the program's failure; SandboxError."""
        match method, args:
            case "run", (str(name), dict(keywords)) if name == self._entry and self.failed is None:
                pass
            case _:
                raise OracleRefused(f"only the program's function {self._entry} can be called")
        try:
            return self._session.call(name, keywords)
        except CandidateFailed as failed:
            self.failed = failed
            raise OracleRefused("the program failed") from None
