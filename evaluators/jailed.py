"""Instances and judge of a task whose author nobody vouches for, such as a language model: run in a jail of their own.

The folder's ``task.py`` is then data only, and ``problem.py`` holds two functions on plain data, which are never
imported by the process that keeps secrets and scores:

- ``instances(rng, size)`` returns a list of ``(name, inputs, secret)``;
- ``judge(inputs, secret, output)`` returns metrics by name, or raises ``Rejected``.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..sandbox import (
    MIB,
    Backend,
    CandidateFailed,
    Limits,
    NoJail,
    Sandbox,
    SandboxError,
    SandboxSpec,
    Serves,
    open_sandbox,
)
from ..sandbox.inside.wire import WireError
from . import checks
from .contract import TaskError
from .oracle import CallLog
from .task import Instance, Size, Verdict

PROBLEM = "problem.py"
LIMITS = Limits(cpu_seconds=60.0, wall_seconds=120.0, memory_bytes=2048 * MIB)
"""Of one call of either function."""

_DRIVER = """
import numpy
import problem
from speciate.evaluators.checks import Rejected

def made(seed, size):
    rng = numpy.random.default_rng(seed)
    return [(name, dict(inputs), secret) for name, inputs, secret in problem.instances(rng, size)]

def judged(inputs, secret, output):
    try:
        metrics = problem.judge(inputs, secret, output)
    except Rejected as rejected:
        return str(rejected)
    return {str(name): float(value) for name, value in dict(metrics).items()}
"""


class JudgeFailed(Exception):
    """The judge gave no verdict. The words may hold a secret: they are for the judge's author, not for proposers."""


class Jail:
    """Foreign code of a task, each call in a fresh process of a jail without the product, the user's files and network.

    ``files`` are as a program's, ``imports`` the packages that they use, and the folder ``beside`` is read-only and
    the package ``helpers`` for them. Where bubblewrap makes no jail on this machine, Docker is asked for one.
    """

    def __init__(
        self,
        files: Mapping[str, str],
        imports: tuple[str, ...] = ("numpy",),
        beside: Path | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self._files = dict(files)
        self._spec = SandboxSpec(imports=imports, helpers=beside)
        self._limits = limits

    def call(self, function: str, inputs: Mapping[str, Any], oracle: Serves | None = None) -> Any:
        """Raises: CandidateFailed where the foreign code fails; SandboxError."""
        with _jail.of(self._spec).process(self._files, self._limits) as process:
            return process.call(function, inputs, oracle)


class Jailed:
    """The two functions of ``file`` in a jail of their own; ``imports`` are the packages that they use."""

    def __init__(self, file: Path, imports: tuple[str, ...] = ("numpy",)) -> None:
        self._file = file
        files = {
            "program.py": _DRIVER,
            PROBLEM: file.read_text(encoding="utf-8"),
            "speciate/evaluators/checks.py": Path(checks.__file__).read_text(encoding="utf-8"),
        }
        self._jail = Jail(files, imports)

    def instances(self, rng: np.random.Generator, size: Size) -> list[Instance]:
        """Raises: TaskError where they cannot be made; SandboxError."""
        inputs = {"seed": int(rng.integers(2**63)), "size": size}
        try:
            said = self._jail.call("made", inputs)
        except CandidateFailed as failed:
            raise TaskError(f"{self._file}: instances(rng, '{size}') failed: {failed.message}") from None
        if not isinstance(said, list):
            raise TaskError(f"{self._file}: instances(rng, '{size}') must return a list of (name, inputs, secret)")
        return [self._instance(one) for one in said]

    def _instance(self, one: Any) -> Instance:
        match one:
            case (str(name), dict(inputs), secret):
                return Instance(name, inputs, secret)
        raise TaskError(f"{self._file}: an instance must be (name, inputs by argument, secret)")

    def judge(self, instance: Instance, output: Any, log: CallLog | None) -> Verdict:
        """Raises: JudgeFailed, SandboxError."""
        inputs = {"inputs": dict(instance.inputs), "secret": instance.secret, "output": output}
        try:
            said = self._jail.call("judged", inputs)
        except CandidateFailed as failed:
            raise JudgeFailed(failed.message) from None
        except SandboxError as error:
            if isinstance(error.__cause__, WireError):
                raise JudgeFailed(f"the output is too large to be judged: {error.__cause__}") from None
            raise
        match said:
            case str(note):
                return Verdict.invalid(note)
            case dict() if all(isinstance(value, float) for value in said.values()):
                return Verdict(True, {str(name): value for name, value in said.items()})
        raise JudgeFailed("it must return metrics by name, each a number")


class _JailOfThread(threading.local):
    """The jail of the thread that looks at it, which ends with the thread.

    The kernel kills what a thread has started when that thread ends, so that no thread may use another's. All tasks of
    a thread share one, which never runs their code itself; it is replaced where another one is asked for.
    """

    def __init__(self) -> None:
        self._spec: SandboxSpec | None = None
        self._own: _Own | None = None

    def of(self, spec: SandboxSpec) -> Sandbox:
        """Raises: NoJail, SandboxError."""
        if self._own is None or spec != self._spec:
            self._own = None  # the old one is closed first
            self._own, self._spec = _Own(_opened(spec)), spec
        return self._own.sandbox


class _Own:
    """A thread's sandbox, closed when the thread, or the process, ends, or it has another."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        weakref.finalize(self, sandbox.close)


_jail = _JailOfThread()


def _opened(spec: SandboxSpec) -> Sandbox:
    """Raises: NoJail with what bubblewrap misses, where Docker does not help either; SandboxError."""
    try:
        return open_sandbox(spec)
    except NoJail as missing:
        try:
            return open_sandbox(replace(spec, backend=Backend.DOCKER))
        except SandboxError:
            raise missing from None
