"""Where evaluations run: one narrow protocol, local jails behind it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from ..evaluators import Calibration, Duel, Evaluation, Evaluator, Known, Size, TaskFolder, Trace
from ..evaluators.gate import NOTHING
from ..sandbox import Backend, Sandbox, SandboxError, SandboxSpec, open_sandbox


class Executor(Protocol):
    """Evaluates programs, several at once. Every implementation gives the same scores for the same secret."""

    async def evaluate(self, files: Mapping[str, str], program_id: str, known: Known = NOTHING) -> Evaluation:
        """A program of which enough is ``known`` goes no further than to the smoke instances."""
        ...

    async def trace(self, files: Mapping[str, str], evaluation: Evaluation) -> Trace | None:
        """What an evaluated program does on a smoke instance; None where the machine fails."""
        ...

    async def duel(self, challenger: Mapping[str, str], elite: Mapping[str, str], name: str) -> Duel | None:
        """Two programs of a clocked task, timed together; None where the machine fails."""
        ...

    async def smoke(self, files: Mapping[str, str], counterexamples: Sequence[str] = ()) -> Evaluation | None:
        """What goes wrong on the smoke instances; None for a program that passes, and where the machine fails."""
        ...

    async def counterexample(self, files: Mapping[str, str], sound: Sequence[Mapping[str, str]]) -> Evaluation | None:
        """What goes wrong on a further smoke instance, with which the ``sound`` programs do well; None: none found."""
        ...

    async def close(self) -> None: ...


def sandbox_spec(folder: TaskFolder, backend: Backend) -> SandboxSpec:
    return SandboxSpec(imports=folder.task.limits.imports, helpers=folder.helpers, backend=backend)


class LocalExecutor:
    """``workers`` threads of this process, each with a jail of its own; the judge runs in the thread.

    The jail's processes do the heavy work, so the interpreter lock is free most of the time.
    """

    def __init__(
        self,
        folder: TaskFolder,
        secret: bytes,
        calibration: Calibration,
        *,
        workers: int,
        size: Size = "default",
        backend: Backend = Backend.BUBBLEWRAP,
    ) -> None:
        self._folder = folder
        self._secret = secret
        self._calibration = calibration
        self._size: Size = size
        self._backend = backend
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="evaluator")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sandboxes: list[Sandbox] = []

    async def evaluate(self, files: Mapping[str, str], program_id: str, known: Known = NOTHING) -> Evaluation:
        """Raises: NoJail where this machine has no jail."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._evaluate, files, program_id, known)

    async def trace(self, files: Mapping[str, str], evaluation: Evaluation) -> Trace | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._trace, files, evaluation)

    async def duel(self, challenger: Mapping[str, str], elite: Mapping[str, str], name: str) -> Duel | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._duel, challenger, elite, name)

    async def smoke(self, files: Mapping[str, str], counterexamples: Sequence[str] = ()) -> Evaluation | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._smoke, files, counterexamples)

    async def counterexample(self, files: Mapping[str, str], sound: Sequence[Mapping[str, str]]) -> Evaluation | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._counterexample, files, sound)

    def _evaluate(self, files: Mapping[str, str], program_id: str, known: Known) -> Evaluation:
        return self._evaluator().evaluate(files, program_id, size=self._size, known=known)

    def _trace(self, files: Mapping[str, str], evaluation: Evaluation) -> Trace | None:
        return self._evaluator().trace(files, evaluation)

    def _duel(self, challenger: Mapping[str, str], elite: Mapping[str, str], name: str) -> Duel | None:
        return self._evaluator().duel(challenger, elite, name, size=self._size)

    def _counterexample(self, files: Mapping[str, str], sound: Sequence[Mapping[str, str]]) -> Evaluation | None:
        return self._evaluator().counterexample(files, sound)

    def _smoke(self, files: Mapping[str, str], counterexamples: Sequence[str]) -> Evaluation | None:
        try:
            return self._evaluator().smoke(files, counterexamples)
        except SandboxError:
            return None

    def _evaluator(self) -> Evaluator:
        """This thread's own, with a jail of its own."""
        evaluator: Evaluator | None = getattr(self._local, "evaluator", None)
        if evaluator is None:
            sandbox = open_sandbox(sandbox_spec(self._folder, self._backend))
            with self._lock:
                self._sandboxes.append(sandbox)
            evaluator = self._local.evaluator = Evaluator(self._folder, sandbox, self._secret, self._calibration)
        return evaluator

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        for sandbox in self._sandboxes:
            sandbox.close()
