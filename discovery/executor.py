"""Where evaluations run: one narrow protocol, local jails behind it; remote.py has those of a cluster."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..evaluators import Calibration, Evaluator, TaskFolder
from ..evaluators.hardware import of_this_machine
from ..sandbox import Backend, NoJail, Sandbox, SandboxError, open_sandbox
from .jobs import Job

T = TypeVar("T")


class Executor(Protocol):
    """Does jobs, several at once. Every implementation gives the same scores for the same secret."""

    async def do(self, job: Job[T]) -> T:
        """``job.lost(...)`` where the machine fails. Raises: NoJail where no machine has a jail."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Setting:
    """What evaluators of one run share, whichever machine they are on."""

    folder: TaskFolder
    secret: bytes
    calibration: Calibration
    backend: Backend

    def evaluator(self, sandbox: Sandbox) -> Evaluator:
        """Judges what is physically possible by the machine that it runs on."""
        ceilings = of_this_machine(self.calibration.ceilings)
        calibration = self.calibration.model_copy(update={"ceilings": ceilings})
        return Evaluator(self.folder, sandbox, self.secret, calibration)


class Jail:
    """An evaluator with a jail of its own, to be used by one thread; the jail is opened by the first job."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._opened: tuple[Sandbox, Evaluator] | None = None

    def open(self) -> Evaluator:
        """Raises: NoJail, SandboxError."""
        if self._opened is None:
            sandbox = open_sandbox(self._setting.folder.spec(self._setting.backend))
            self._opened = sandbox, self._setting.evaluator(sandbox)
        return self._opened[1]

    def do(self, job: Job[T]) -> T:
        """Raises: NoJail."""
        try:
            return job.run(self.open())
        except NoJail:
            raise
        except SandboxError as error:
            return job.lost(str(error))

    def close(self) -> None:
        if self._opened is not None:
            self._opened[0].close()


class LocalExecutor:
    """``workers`` threads of this process, each with a jail of its own; the judge runs in the thread.

    The jail's processes do the heavy work, so the interpreter lock is free most of the time.
    """

    def __init__(self, setting: Setting, workers: int) -> None:
        self._setting = setting
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="evaluator")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._jails: list[Jail] = []

    async def do(self, job: Job[T]) -> T:
        """Raises: NoJail where this machine has no jail."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._do, job)

    def _do(self, job: Job[T]) -> T:
        return self._jail().do(job)

    def _jail(self) -> Jail:
        """This thread's own."""
        jail: Jail | None = getattr(self._local, "jail", None)
        if jail is None:
            jail = self._local.jail = Jail(self._setting)
            with self._lock:
                self._jails.append(jail)
        return jail

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        for jail in self._jails:
            jail.close()
