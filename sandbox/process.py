"""One candidate process as the trusted side sees it: calls, oracle, limits, usage."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, Protocol

from .clock import cpu_seconds, pid_of
from .inside.channel import Channel, Closed, Kind
from .inside.control import Ended
from .inside.wire import WireError
from .limits import Limits
from .outcome import CandidateFailed, Failure, OracleRefused, SandboxError, Usage
from .slot import Zygote
from .text import bounded_text

_START_SECONDS = 20.0
_SHORTEST_WAIT = 0.0005
_LAST_WORDS_MS = 500
"""Between a closed channel and the end of its process."""
_CPUS = len(os.sched_getaffinity(0))
_STDOUT_BYTES = 16384
_REPORT_SECONDS = 2.0
_REPORT_BYTES = 1 << 20
_OWN_FAILURES = {str(f): f for f in (Failure.CRASHED, Failure.MEMORY, Failure.FORBIDDEN, Failure.MALFORMED)}


class Serves(Protocol):
    """Answers a candidate's requests on the trusted side."""

    def serve(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Raises: OracleRefused to answer with an exception in the candidate."""
        ...


class Process:
    """A fresh fork of the zygote, shut in, with a candidate's files. Made by ``Sandbox.process``."""

    def __init__(self, zygote: Zygote, files: Mapping[str, str], limits: Limits) -> None:
        self._zygote = zygote
        self._limits = limits
        self._unsent: Mapping[str, str] | None = files
        self._wall = 0.0
        self._deadline = time.monotonic() + _START_SECONDS
        self._ended: Ended | None = None
        self._usage: Usage | None = None
        self._failed: CandidateFailed | None = None
        self._asked = 0
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._channel = Channel(ours.detach(), self._wait)
        self._output = os.memfd_create("output", os.MFD_CLOEXEC)
        os.fchmod(self._output, 0)  # a container has /proc, where what is open can be opened anew
        self._cpu_before = 0.0
        self._pid: int | None = None
        try:
            with theirs:
                self._number, self._pidfd = zygote.spawn(limits, theirs, self._output)
        except SandboxError:
            self._channel.close()
            os.close(self._output)
            raise

    def start(self) -> None:
        """Wait until the jail is closed around it; no foreign code has run yet. Raises: SandboxError."""
        try:
            kind, value = self._channel.receive()
        except (Closed, WireError, CandidateFailed) as error:
            raise SandboxError(f"a candidate process did not start: {error}") from error
        if kind is not Kind.READY:
            raise SandboxError(f"the jail could not be closed: {value}")
        self._pid = pid_of(self._pidfd)
        self._zygote.started(self._pid)
        self._cpu_before = cpu_seconds(self._pid)

    def call(self, entry: str, inputs: Mapping[str, Any], oracle: Serves | None = None) -> Any:
        """What the candidate's function ``entry`` returns for these keyword arguments: plain data, fresh arrays.

        With ``oracle`` it gets a further argument of that name. The first call also loads the files.
        Raises: CandidateFailed; SandboxError, also where the inputs are not plain data.
        """
        if self._failed is not None:
            raise self._failed
        call = (Kind.CALL, (entry, dict(inputs), oracle is not None))
        frames = [call] if self._unsent is None else [(Kind.LOAD, dict(self._unsent)), call]
        self._unsent = None
        with self._conversing():
            self._send(*frames)
            while True:
                kind, value = self._channel.receive(self._limits.output_bytes)
                if kind is not Kind.ASK:
                    return self._outcome(kind, value)
                if oracle is None:
                    self._fail(Failure.MALFORMED, "a request to an oracle where there is none")
                self._within_limits()  # one that keeps the channel busy is never waited for
                self._wall -= self._serve(oracle, value)

    @contextlib.contextmanager
    def _conversing(self) -> Iterator[None]:
        """Within the limits, with what cannot be understood as the candidate's failure. Raises: CandidateFailed."""
        begin = time.monotonic()
        self._deadline = begin + self._wall_left()
        try:
            yield
        except WireError as error:
            self._fail(Failure.MALFORMED, f"not plain data: {error}")
        except Closed:
            self._fail(*self._cause_of_death())
        finally:
            self._wall += time.monotonic() - begin

    def _wall_left(self) -> float:
        """Seconds for what is asked next."""
        return self._limits.wall_seconds - self._wall

    def trace(self, seconds: float) -> None:
        """Before the first call: have the candidate's lines recorded, each call for at most so long."""
        self._deadline = time.monotonic() + _START_SECONDS
        self._send((Kind.TRACE, (dict(self._unsent or {}), seconds)))

    def traced(self) -> Any:
        """What its process recorded (see inside/recorder.py): plain data that the candidate may have forged.

        None where it no longer answers, or with something else.
        """
        if self._failed is not None or self._ended is not None:
            return None
        self._deadline = time.monotonic() + _REPORT_SECONDS
        try:
            self._send((Kind.REPORT, None))
            kind, value = self._channel.receive(_REPORT_BYTES)
        except (Closed, WireError, CandidateFailed):
            return None
        return value if kind is Kind.REPORT else None

    @property
    def has_ended(self) -> bool:
        """Whether its end was seen, and with it what it used."""
        return self._usage is not None

    @property
    def usage(self) -> Usage:
        """What it used; known after the ``with`` block. Raises: SandboxError before, or where its end was not seen."""
        if self._usage is None:
            raise SandboxError("the usage of a process is known when it has ended")
        return self._usage

    def finish(self) -> None:
        """End the process and take down its usage. Raises: SandboxError where the zygote is gone."""
        try:
            ended = self._end()
        finally:
            self._channel.close()
            os.close(self._pidfd)
            output = _read(self._output)
            os.close(self._output)
        cpu = max(0.0, ended.cpu_seconds - self._cpu_before)
        self._usage = Usage(cpu, self._wall, ended.peak_memory, bounded_text(output, _STDOUT_BYTES))

    def _send(self, *frames: tuple[Kind, Any]) -> None:
        try:
            self._channel.send(*frames)
        except WireError as error:
            raise SandboxError(f"what was to be sent to the candidate is not plain data: {error}") from error

    def _serve(self, oracle: Serves, request: Any) -> float:
        """Seconds that the trusted side spent on it, which are not the candidate's."""
        begin = time.monotonic()
        self._asked += 1
        match request:
            case (int(number), str(method), tuple(args), dict(kwargs)) if number == self._asked:
                pass
            case _:
                self._fail(Failure.MALFORMED, "a request out of order or not of the oracle's form")
        try:
            answer = (Kind.ANSWER, (number, oracle.serve(method, args, kwargs)))
        except OracleRefused as refusal:
            answer = (Kind.REFUSED, (number, str(refusal)))
        spent = time.monotonic() - begin
        self._deadline += spent
        self._send(answer)
        return spent

    def _outcome(self, kind: Kind, value: Any) -> Any:
        if kind is Kind.RETURN:
            return value
        match kind, value:
            case Kind.RAISE, {"failure": str(failure), "message": str(message)} if failure in _OWN_FAILURES:
                raise CandidateFailed(_OWN_FAILURES[failure], bounded_text(message))
        return self._fail(Failure.MALFORMED, "a frame that is no reply")

    def _wait(self, events: int) -> None:
        """Until the channel is ready; ends the process at its wall or CPU limit."""
        poll = select.poll()
        poll.register(self._channel.fileno(), events)
        while not poll.poll(self._within_limits() * 1000 + 0.5):
            pass

    def _within_limits(self) -> float:
        """Seconds until a limit can be reached; ends the process where one has been."""
        wall_left = self._deadline - time.monotonic()
        cpu_left = self._cpu_left()
        if wall_left <= 0:
            self._fail(Failure.TIMEOUT, f"no reply within {self._limits.wall_seconds:g} s")
        if cpu_left <= 0:
            self._fail(Failure.TIMEOUT, f"used more than {self._limits.cpu_seconds:g} s of CPU")
        # CPU time runs at most _CPUS times as fast as the wall clock.
        return min(wall_left, max(cpu_left / _CPUS, _SHORTEST_WAIT))

    def _cpu_left(self) -> float:
        if self._pid is None:
            return float("inf")
        try:
            return self._limits.cpu_seconds - (cpu_seconds(self._pid) - self._cpu_before)
        except OSError:  # it has ended, which the channel says too
            return float("inf")

    def _fail(self, failure: Failure, message: str) -> NoReturn:
        self._end()
        self._failed = CandidateFailed(failure, message)
        raise self._failed

    def _end(self) -> Ended:
        if self._ended is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            self._ended = self._zygote.ended(self._number)
        return self._ended

    def _cause_of_death(self) -> tuple[Failure, str]:
        """Of a process that closed its channel without a reply; it may still be about to end."""
        dying = select.poll()
        dying.register(self._pidfd, select.POLLIN)
        if not dying.poll(_LAST_WORDS_MS):
            return Failure.CRASHED, "closed its channel without a reply"
        ended = self._end()
        if not os.WIFSIGNALED(ended.status):
            return Failure.CRASHED, f"ended with exit status {os.waitstatus_to_exitcode(ended.status)} without a reply"
        number = os.WTERMSIG(ended.status)
        if number == signal.SIGSYS:
            return Failure.FORBIDDEN, "made a system call that the jail forbids"
        if number in (signal.SIGKILL, signal.SIGXCPU):
            if ended.cpu_seconds - self._cpu_before >= self._limits.cpu_seconds:
                return Failure.TIMEOUT, f"used more than {self._limits.cpu_seconds:g} s of CPU"
            return Failure.MEMORY, "killed by the kernel, out of memory"
        return Failure.CRASHED, f"killed by {signal.Signals(number).name}"


def _read(descriptor: int) -> bytes:
    """Both ends of a long output."""
    size = os.fstat(descriptor).st_size
    if size <= _STDOUT_BYTES:
        return os.pread(descriptor, _STDOUT_BYTES, 0)
    half = _STDOUT_BYTES // 2
    return os.pread(descriptor, half, 0) + b"\n[...]\n" + os.pread(descriptor, half, size - half)
