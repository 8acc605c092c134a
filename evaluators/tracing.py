"""Running a program on a smoke instance once more, only to record what its lines do.

In processes of its own: the scored ones are never traced. Smoke instances only, since a program's own words reach
feedback from nowhere else (see feedback.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..sandbox import Process, Sandbox
from .evaluation import Evaluation
from .styles import Session
from .task import Instance, Task
from .trace import Recorded, Trace, read
from .trial import attempt_in

SECONDS = 5.0
"""Of each call: after that it is ended, and what was recorded until then is told."""
SPARE_SECONDS = 5.0
"""CPU and wall on top, within which a process that was ended can still report."""
MAX_RECORDED = 4


class TracedSession(Session):
    """Every process of it is recorded; the first reports are kept, and the last."""

    def __init__(self, sandbox: Sandbox, files: Mapping[str, str], task: Task) -> None:
        limits = replace(task.limits.run, cpu_seconds=SECONDS + SPARE_SECONDS, wall_seconds=SECONDS + SPARE_SECONDS)
        super().__init__(sandbox, files, limits)
        self.processes = 0
        self.recorded: list[Recorded] = []

    @contextlib.contextmanager
    def process(self) -> Iterator[Process]:
        with super().process() as process:
            self.processes += 1
            process.trace(SECONDS)
            try:
                yield process
            finally:
                self._keep(read(process.traced()))

    def _keep(self, recorded: Recorded | None) -> None:
        if recorded is not None:
            self.recorded[MAX_RECORDED - 1 :] = []
            self.recorded.append(recorded)


def trace(task: Task, sandbox: Sandbox, files: Mapping[str, str], instance: Instance) -> Trace:
    """One traced run on a smoke instance, judged like any other. Raises: SandboxError."""
    session = TracedSession(sandbox, files, task)
    trial = attempt_in(session, task, instance)
    note = trial.note or trial.message
    return Trace(
        instance=instance.name,
        state=trial.state,
        note=note,
        processes=session.processes,
        recorded=tuple(session.recorded),
    )


def telling(instances: Sequence[Instance], evaluation: Evaluation | None) -> Instance:
    """Of the smoke instances the one on which the program failed at the gate, else the first."""
    failed = evaluation.instances[-1].name if evaluation is not None and evaluation.size == "smoke" else None
    return next((instance for instance in instances if instance.name == failed), instances[0])
