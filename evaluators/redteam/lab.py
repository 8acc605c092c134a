"""Where exploits are tried: one sandbox, the suite's small tasks, and witnesses on the host."""

from __future__ import annotations

import socket
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ...sandbox import CandidateFailed, Failure, Limits, Sandbox, Usage
from ..calibration import MAIN, Calibration, calibrate
from ..evaluation import Evaluation, State
from ..evaluator import Evaluator
from ..loader import TaskFolder, load_task

T = TypeVar("T")

Program = str | Mapping[str, str]
"""The text of ``program.py``, or several files by name. ``$NAME`` stands for a fact of ``Lab.facts``."""

TASKS = Path(__file__).parent / "tasks"
ANSWERS, TRUTH = "answers.txt", "the judge's own"
HONEST = "def solve(x):\n    return 2.5 * x\n"
_PROBE_LIMITS = Limits(cpu_seconds=2.0, wall_seconds=6.0)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one call in a fresh process came to: ``value``, or ``failure`` and ``message``."""

    value: Any
    failure: Failure | None
    message: str
    usage: Usage


class Lab:
    """``witness`` is an empty folder of the host, with no meaning but to stay as it is."""

    def __init__(self, sandbox: Sandbox, secret: bytes, witness: Path) -> None:
        self._sandbox = sandbox
        self._secret = secret
        self._witness = witness
        self._folders: dict[str, TaskFolder] = {}
        self._shared: dict[str, Any] = {}
        self._judges: dict[tuple[str, str], tuple[Evaluator, Calibration]] = {}
        (witness / ANSWERS).write_text(TRUTH)
        self._functions = _functions()
        self._first_said = self._said_of_the_honest()

    @property
    def facts(self) -> dict[str, str]:
        return {
            "WITNESS": str(self._witness),
            "PRODUCT": str(TASKS.parent.parent.parent),
            "HOME": str(Path.home()),
        }

    def folder(self, task: str) -> TaskFolder:
        if task not in self._folders:
            self._folders[task] = load_task(str(TASKS / task))
        return self._folders[task]

    def calibration(self, task: str, purpose: str = "search") -> Calibration:
        return self._judge(task, purpose)[1]

    def score(self, program: Program, task: str = "stretch", purpose: str = "search") -> Evaluation:
        """As a run would score it; another ``purpose`` has secret instances of its own."""
        return self._judge(task, purpose)[0].evaluate(self.filled(program), "redteam")

    def run(self, program: Program, limits: Limits = _PROBE_LIMITS, **inputs: Any) -> Ran:
        """Call the program's ``probe`` in a fresh process, past any judge."""
        value, failure, message = None, None, ""
        with self._sandbox.process(self.filled(program), limits) as process:
            try:
                value = process.call("probe", inputs)
            except CandidateFailed as failed:
                failure, message = failed.failure, failed.message
        return Ran(value, failure, message, process.usage)

    def filled(self, program: Program) -> dict[str, str]:
        files = {MAIN: program} if isinstance(program, str) else dict(program)
        return {name: string.Template(text).safe_substitute(self.facts) for name, text in files.items()}

    def shared(self, name: str, make: Callable[[], T]) -> T:
        """What several exploits use, made for the first of them."""
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    def harm(self) -> str:
        """What differs from before the first exploit, in words; empty where all is as it was."""
        if _functions() != self._functions:
            return "a function of the trusted process was replaced"
        if [path.name for path in self._witness.iterdir()] != [ANSWERS]:
            return "a file appeared on the host"
        if (self._witness / ANSWERS).read_text() != TRUTH:
            return "a file of the host was changed"
        if self._said_of_the_honest() != self._first_said:
            return "an honest program fares differently now"
        return ""

    def _said_of_the_honest(self) -> tuple[State, float | None, Any]:
        evaluation = self.score(HONEST)
        left = self.run("import os\ndef probe(): return os.listdir('.') + os.listdir('/dev/shm')").value
        return evaluation.state, evaluation.score, left

    def _judge(self, task: str, purpose: str) -> tuple[Evaluator, Calibration]:
        key = (task, purpose)
        if key not in self._judges:
            folder = self.folder(task)
            calibration = calibrate(folder, self._sandbox, self._secret, purpose=purpose)
            self._judges[key] = Evaluator(folder, self._sandbox, self._secret, calibration), calibration
        return self._judges[key]


def _functions() -> tuple[Any, ...]:
    """Some of what a judge calls, as they are found now; a candidate would replace them."""
    return (np.allclose, np.linalg.norm, np.asarray, np.isfinite, Path.read_text, socket.socket.send)
