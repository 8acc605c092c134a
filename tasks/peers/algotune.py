"""AlgoTune's form: a class with ``generate_problem``, ``solve`` and ``is_solution``; what counts is the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...evaluators import CallLog, Instance, Size, TaskError, Verdict
from ...evaluators.jailed import Jail, JudgeFailed
from ...sandbox import CandidateFailed, Limits, SandboxError
from .inside import driver

COUNT = 4
"""Problems of one draw."""
SMALLER = 4
"""By which factor the problem of the smoke gate is smaller."""
SECONDS = 0.02
"""CPU of the task's own solver that the problems' size is chosen for: ten times what a process costs here."""
LARGEST = 1 << 16
SEEDS = 2**31


class AlgoTuneProblem:
    """The class in ``file`` makes problems of size ``n`` and judges solutions, in a jail of its own."""

    def __init__(self, folder: Path, file: str, n: int, imports: tuple[str, ...], limits: Limits) -> None:
        self._file = file
        self._n = n
        self._jail = Jail(driver("algotune"), imports, folder, limits)

    def instances(self, rng: np.random.Generator, size: Size) -> list[Instance]:
        """Raises: TaskError, SandboxError."""
        n, count = (max(1, self._n // SMALLER), 1) if size == "smoke" else (self._n, COUNT)
        seeds = [int(seed) for seed in rng.integers(SEEDS, size=count)]
        problems = said(self._file, lambda: self._jail.call("made", {"file": self._file, "n": n, "seeds": seeds}))
        return [Instance(f"problem {number}", {"problem": problem}) for number, problem in enumerate(problems, start=1)]

    def judge(self, instance: Instance, output: Any, log: CallLog | None) -> Verdict:
        """Raises: JudgeFailed, SandboxError."""
        try:
            wrong = self._jail.call(
                "judged", {"file": self._file, "problem": instance.inputs["problem"], "solution": output}
            )
        except CandidateFailed as failed:
            raise JudgeFailed(failed.message) from None
        return Verdict.invalid(str(wrong)) if wrong else Verdict(True)

    def fitting(self) -> int:
        """A size for which the task's own solver takes long enough to be timed. Raises: TaskError, SandboxError."""
        asked = {"file": self._file, "seconds": SECONDS, "largest": LARGEST}
        return int(said(self._file, lambda: self._jail.call("fitting", asked)))


def said(file: str, ask: Callable[[], Any]) -> Any:
    """What a task's own file answers in its jail. Raises: TaskError where it fails; SandboxError."""
    try:
        return ask()
    except CandidateFailed as failed:
        raise TaskError(f"{file} fails in its jail: {failed.message}") from None
    except SandboxError as error:
        if error.__cause__ is not None:
            raise TaskError(f"{file}: {error}") from None
        raise
