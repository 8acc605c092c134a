"""How a program is run on one instance: function, oracle, staged, rounds."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from ..sandbox import DeviceProcess, Limits, Process, Sandbox, Timing
from .oracle import CallLog, Oracle
from .task import Instance, Task

P = TypeVar("P", bound=Process)

LEAST_CPU = 0.01
"""Seconds; what a process is given when its predecessors have used up the limit, so that it ends in TIMEOUT."""


class Session:
    """The processes of one program on one instance. All together stay within ``limits.cpu_seconds``."""

    def __init__(self, sandbox: Sandbox, files: Mapping[str, str], limits: Limits) -> None:
        self._sandbox = sandbox
        self.files = files
        self._limits = limits
        self.cpu_seconds = 0.0
        self.wall_seconds = 0.0
        self.peak_memory = 0
        self.stdout = ""
        self.timings: tuple[Timing, ...] = ()
        """Of the calls on a device."""

    @contextlib.contextmanager
    def process(self) -> Iterator[Process]:
        """A fresh process for several calls, each sent after the reply to the one before."""
        with self._started(self.files) as process:
            yield process

    @contextlib.contextmanager
    def evaluator(self, files: Mapping[str, str]) -> Iterator[Process]:
        """A fresh process of a shared task's evaluator, which is told the program; never traced, never recorded."""
        with self._started(files) as process:
            yield process

    @contextlib.contextmanager
    def on_device(self) -> Iterator[DeviceProcess]:
        """A fresh process that has the device to itself."""
        with self._counted(self._sandbox.device_process(self.files, self._left())) as process:
            try:
                yield process
            finally:
                self.timings = (*self.timings, *process.timings)

    @contextlib.contextmanager
    def _started(self, files: Mapping[str, str]) -> Iterator[Process]:
        with self._counted(self._sandbox.process(files, self._left())) as process:
            yield process

    def _left(self) -> Limits:
        left = max(self._limits.cpu_seconds - self.cpu_seconds, LEAST_CPU)
        return dataclasses.replace(self._limits, cpu_seconds=left)

    @contextlib.contextmanager
    def _counted(self, started: contextlib.AbstractContextManager[P]) -> Iterator[P]:
        process = None
        try:
            with started as process:
                yield process
        finally:
            # Where its end was not seen, what went wrong is on its way up already.
            if process is not None and process.has_ended:
                usage = process.usage
                self.cpu_seconds += usage.cpu_seconds
                self.wall_seconds += usage.wall_seconds
                self.peak_memory = max(self.peak_memory, usage.peak_memory)
                self.stdout += usage.stdout

    def call(self, entry: str, inputs: Mapping[str, Any], oracle: Oracle | None = None) -> Any:
        """One call in its own fresh process. Raises: CandidateFailed, SandboxError."""
        with self.process() as process:
            return process.call(entry, inputs, oracle)


def drive(task: Task, instance: Instance, session: Session) -> tuple[Any, CallLog | None]:
    """The program's output on an instance and the log of its oracle. Raises: CandidateFailed, SandboxError."""
    if task.limits.gpus > 0:
        with session.on_device() as process:
            return process.call(task.entry.name, instance.inputs), None
    if task.drive is not None:
        return task.drive(instance, session), None
    if task.oracle is not None:
        oracle = task.oracle(instance)
        return session.call(task.entry.name, instance.inputs, oracle), oracle.log
    return session.call(task.entry.name, instance.inputs), None
