"""The candidate's side of the channel. Nothing that it sends is believed to be more than data."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Protocol

from . import confine
from .channel import Channel, Closed, Kind, packed
from .programs import ORIGIN, Programs, line_of
from .wire import WireError

_FORBIDDEN = frozenset({errno.EPERM, errno.EACCES, errno.EROFS})
_MAX_TEXT = 2000
_READY = packed(Kind.READY, None)
"""Made in the zygote: what a fork does not touch, it does not copy."""


class OracleRefused(Exception):
    """The oracle did not answer: a wrong request, or its budget is spent."""


class Oracle:
    """Every method is a request to the trusted side, which serves, charges and logs it."""

    def __init__(self, ask: Callable[[str, tuple[Any, ...], dict[str, Any]], Any]) -> None:
        self._ask = ask

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._ask(name, args, kwargs)


class Watch(Protocol):
    """Runs foreign code: plainly, or recorded."""

    def __call__(self, function: Callable[..., Any], keywords: Mapping[str, Any]) -> Any: ...


def _unwatched(function: Callable[..., Any], keywords: Mapping[str, Any]) -> Any:
    return function(**keywords)


class Runner:
    """Loads a candidate's files and answers calls until the trusted side hangs up."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._programs = Programs()
        self._oracle = Oracle(self._ask)
        self._asked = 0
        self._load_failure: dict[str, str] | None = None
        self._watch: Watch = _unwatched
        self._report: Callable[[], Any] = dict

    def run(self) -> None:
        self._channel.send_bytes(_READY)
        while True:
            self.handle(*self._channel.receive())

    def handle(self, kind: Kind, value: Any) -> None:
        """One frame of the trusted side."""
        if kind is Kind.LOAD:
            self._programs.add(value)
            self._load_failure = self._attempt(lambda: self._watch(self._programs.load, {}))
        elif kind is Kind.TRACE:
            self._record(*value)
        elif kind is Kind.REPORT:
            self._channel.send((Kind.REPORT, self._report()))
        elif self._load_failure is not None:
            self._channel.send((Kind.RAISE, self._load_failure))
        else:
            self._answer(*value)

    def failure(self, error: BaseException) -> str:
        """In terms of ``speciate.sandbox.Failure``."""
        return failure_of(error)

    def forget(self) -> None:
        """Leave no trace of the files."""
        self._programs.forget()

    def _answer(self, entry: str, inputs: dict[str, Any], with_oracle: bool) -> None:
        keywords: Mapping[str, Any] = inputs | {"oracle": self._oracle} if with_oracle else inputs

        def reply() -> None:
            output = self._watch(self._programs.function(entry), keywords)
            flush()
            self._channel.send((Kind.RETURN, output))

        failure = self._attempt(reply)
        if failure is not None:
            self._channel.send((Kind.RAISE, failure))

    def _record(self, files: Mapping[str, str], seconds: float) -> None:
        from .recorder import Recorder

        recorder = Recorder(files, ORIGIN, Runner._ask.__code__, seconds)
        self._watch, self._report = recorder.watch, recorder.report

    def _attempt(self, step: Callable[[], None]) -> dict[str, str] | None:
        """None, or how it failed in terms of ``speciate.sandbox.Failure`` and a message."""
        try:
            step()
        except Closed:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever foreign code raises is its result
            confine.release_reserve()
            flush()
            return {"failure": self.failure(error), "message": _message(error)}
        return None

    def _ask(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._asked += 1
        number = self._asked
        self._channel.send((Kind.ASK, (number, method, args, kwargs)))
        kind, (answered, answer) = self._channel.receive()
        if answered != number:
            raise RuntimeError("the oracle answers one request at a time")
        if kind is Kind.REFUSED:
            raise OracleRefused(answer)
        return answer


def refuse_setup(descriptor: int, message: str) -> NoReturn:
    """The jail could not be closed around this process: say so and end before any foreign code runs."""
    with contextlib.suppress(Closed):
        Channel(descriptor).send((Kind.BROKEN, message))
    os._exit(1)


def open_streams() -> None:
    """Text streams on descriptor 1, whatever that is in each fork; the zygote itself writes nothing."""
    sys.stdout = sys.stderr = open(1, "w", buffering=1, errors="replace", closefd=False)  # noqa: SIM115


def serve(runner: Runner) -> NoReturn:
    with contextlib.suppress(Closed):
        runner.run()
    os._exit(0)


def flush() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()


def failure_of(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, WireError):
        return "malformed"
    if isinstance(error, OSError) and error.errno in _FORBIDDEN:
        return "forbidden"
    return "crashed"


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the error's class is the candidate's
        text = "(its message could not be read)"
    where = line_of(error)
    place = "" if where is None else f" ({where[0]}, line {where[1]})"
    return f"{type(error).__name__}: {text[:_MAX_TEXT]}{place}".encode(errors="replace").decode()
