"""Recording: run a program on its task's smoke instances in the jail, and keep what went in and came out."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..evaluators.styles import Session, drive
from ..evaluators.trial import generous, judged
from ..sandbox import OracleRefused
from .recorded import Call, Request, difference

if TYPE_CHECKING:
    from ..evaluators import Oracle, Task
    from ..sandbox import Limits, Process, Sandbox

MAX_CALLS = 12
MAX_BYTES = 2_000_000
"""Of inputs and outputs per program; the first calls that fit are kept."""


@dataclass
class RecordingOracle:
    """Serves what the task's oracle serves, and writes it down."""

    oracle: Oracle
    requests: list[Request] = field(default_factory=list)

    def serve(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        asked = copy.deepcopy(list(args))
        try:
            reply = self.oracle.serve(method, args, kwargs)
        except OracleRefused as refusal:
            self.requests.append(Request(method, asked, None, str(refusal)))
            raise
        self.requests.append(Request(method, asked, copy.deepcopy(reply)))
        return reply


@dataclass
class RecordingProcess:
    process: Process
    number: int
    calls: list[Call]

    def call(self, entry: str, inputs: Mapping[str, Any], oracle: Oracle | None = None) -> Any:
        kept = copy.deepcopy(dict(inputs))
        recorder = None if oracle is None else RecordingOracle(oracle)
        output = self.process.call(entry, inputs, recorder)
        requests = None if recorder is None else recorder.requests
        self.calls.append(Call(self.number, entry, kept, copy.deepcopy(output), requests))
        return output


class RecordingSession(Session):
    """The processes of a program on one instance, in which every call is written down."""

    def __init__(self, sandbox: Sandbox, files: Mapping[str, str], limits: Limits, calls: list[Call]) -> None:
        super().__init__(sandbox, files, limits)
        self._calls = calls

    @contextlib.contextmanager
    def process(self) -> Iterator[Any]:
        number = self._calls[-1].process + 1 if self._calls else 1
        with super().process() as process:
            yield RecordingProcess(process, number, self._calls)


def record(task: Task, files: Mapping[str, str], sandbox: Sandbox, seed: int) -> list[Call]:
    """Calls on the task's smoke instances, but for those that gave another output when they were made again.

    Raises: ValueError where the judge refuses an output; CandidateFailed; SandboxError.
    """
    first, second = (_calls(task, files, sandbox, seed) for _ in range(2))
    return _within_bounds(_repeatable(first, second))


def _calls(task: Task, files: Mapping[str, str], sandbox: Sandbox, seed: int) -> list[Call]:
    calls: list[Call] = []
    for instance in task.instances(np.random.default_rng(seed), "smoke"):
        session = RecordingSession(sandbox, files, generous(task.limits.run), calls)
        output, log = drive(task, instance, session)
        verdict = judged(task, instance, output, log)
        if not verdict.valid:
            raise ValueError(f"on a fresh smoke instance of {task.id} its output is invalid: {verdict.note}")
    return calls


def _repeatable(first: list[Call], second: list[Call]) -> list[Call]:
    """What a program computes may depend on the clock or on chance; such calls say nothing when repeated."""
    kept: list[Call] = []
    broken: set[int] = set()
    for a, b in zip(first, second, strict=False):
        same = a.entry == b.entry and _asked(a) == _asked(b)
        if not same or difference([a.inputs, a.output], [b.inputs, b.output]) is not None:
            broken.add(a.process)  # later calls in this process may rest on it
        elif a.process not in broken:
            kept.append(a)
    return kept


def _asked(call: Call) -> list[str] | None:
    return None if call.requests is None else [request.method for request in call.requests]


def _within_bounds(calls: list[Call]) -> list[Call]:
    kept: list[Call] = []
    size = 0
    for call in calls[:MAX_CALLS]:
        size += nbytes([call.inputs, call.output, [[r.args, r.reply] for r in call.requests or ()]])
        if size > MAX_BYTES:
            break
        kept.append(call)
    return kept


def nbytes(value: Any) -> int:
    """Roughly what plain data takes."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, list | tuple):
        return sum(nbytes(item) for item in value)
    if isinstance(value, dict):
        return sum(nbytes(item) for item in value.values())
    return 8
