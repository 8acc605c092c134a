"""One candidate process, seen from outside: calls, limits, clock."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

from .inside.wire import HEAD, MAX_HEADER, WireError, decode, encode
from .inside.zygote import SETUP_FAILED
from .limits import Limits
from .outcome import CandidateFailed, Failure, OracleRefused, SandboxError, Usage

MIN_WAIT = 0.002
"""Seconds; the outside clock is read again no sooner."""

KINDS = {kind.value: kind for kind in (Failure.CRASHED, Failure.MEMORY, Failure.FORBIDDEN, Failure.MALFORMED)}
MAX_MESSAGE = 2200
OUTPUT_TAIL = 4096
LAST_WORDS = 0.2
"""Seconds between a closed channel and the end of its process, beyond which the process itself closed it."""

NEARLY = 0.9
"""Share of the memory limit beyond which a death is put down to it."""


class Serves(Protocol):
    """The trusted side of an oracle."""

    def serve(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any: ...


class Clock:
    """CPU seconds of another process with all its threads; its own clocks are never read (D3)."""

    def __init__(self, handle: int) -> None:
        fields = Path(f"/proc/self/fdinfo/{handle}").read_text().split()
        self._id = (~int(fields[fields.index("Pid:") + 1]) << 3) | 2

    def seconds(self) -> float:
        """Raises: OSError when the process is gone."""
        return time.clock_gettime(self._id)


@dataclass(frozen=True, slots=True)
class Ended:
    """What the zygote says of a process that has ended: wait status, CPU seconds, peak bytes."""

    status: int
    cpu_seconds: float
    peak_memory: int


class Process:
    """Answers calls until its first failure; after that every call raises the same failure."""

    def __init__(
        self,
        channel: socket.socket,
        handle: int,
        output: int,
        limits: Limits,
        files: Mapping[str, str],
        reap: Callable[[], Ended],
    ) -> None:
        self._channel = channel
        self._output = output
        self._reap = reap
        self._usage: Usage | None = None
        self._handle = handle
        self._limits = limits
        self._clock = Clock(handle)
        self._started = time.monotonic()
        self._deadline = self._started + limits.wall_seconds
        self._failed: CandidateFailed | None = None
        channel.setblocking(False)
        self._pending = self._pieces(dict(files))

    def call(self, entry: str, inputs: Mapping[str, Any], oracle: Serves | None = None) -> Any:
        """Run ``entry(**inputs)``, with ``oracle`` as a further argument where one is given.

        Raises: CandidateFailed; SandboxError where the inputs are no plain data.
        """
        if self._failed is not None:
            raise self._failed
        try:
            return self._call(entry, inputs, oracle)
        except CandidateFailed as failure:
            self._failed = failure
            raise

    def _call(self, entry: str, inputs: Mapping[str, Any], oracle: Serves | None) -> Any:
        pieces = self._pending + self._pieces([entry, dict(inputs), oracle is not None])
        self._pending = []
        self._send(pieces)
        expected = 1
        while True:
            match self._receive():
                case ["return", output]:
                    return output
                case ["raise", str(kind), str(message)] if kind in KINDS:
                    raise CandidateFailed(KINDS[kind], _clean(message))
                case ["ask", int(number), str(method), list(args), dict(kwargs)] if oracle and number == expected:
                    expected += 1
                    self._send(self._pieces(self._answer(oracle, method, tuple(args), kwargs)))
                case _:
                    raise CandidateFailed(Failure.MALFORMED, "the reply is not one of the protocol")

    def _answer(self, oracle: Serves, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
        """The oracle's time is its own: the deadline moves by it."""
        began = time.monotonic()
        try:
            return ["answer", oracle.serve(method, args, kwargs)]
        except OracleRefused as refusal:
            return ["refused", str(refusal)]
        finally:
            self._deadline += time.monotonic() - began

    @staticmethod
    def _pieces(value: Any) -> list[bytes | memoryview]:
        try:
            return encode(value)
        except WireError as error:
            raise SandboxError(f"what the task sends is no plain data: {error}") from error

    def _send(self, pieces: list[bytes | memoryview]) -> None:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                try:
                    view = view[self._channel.send(view) :]
                except BlockingIOError:
                    self._wait(select.POLLOUT)
                except OSError:
                    self._gone()

    def _receive(self) -> Any:
        header, body = HEAD.unpack(self._exactly(HEAD.size))
        if header > MAX_HEADER or header + body > self._limits.output_bytes:
            raise CandidateFailed(Failure.MALFORMED, f"the reply is larger than {self._limits.output_bytes} bytes")
        try:
            return decode(bytes(self._exactly(header)), self._exactly(body))
        except WireError as error:
            raise CandidateFailed(Failure.MALFORMED, f"the reply is no plain data: {error}") from None

    def _exactly(self, size: int) -> bytearray:
        data = bytearray()
        while len(data) < size:
            try:
                piece = self._channel.recv(min(size - len(data), 1 << 20))
            except BlockingIOError:
                self._wait(select.POLLIN)
                continue
            except OSError:
                self._gone()
            if not piece:
                self._gone()
            data += piece
        return data

    def _gone(self) -> NoReturn:
        """The process closed its end of the channel: why, its exit status says."""
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        if not poll.poll(LAST_WORDS * 1000):
            raise CandidateFailed(Failure.CRASHED, "the process closed its channel without an answer")
        raise self._explained(self._end())

    def _explained(self, ended: Ended) -> CandidateFailed:
        limits = self._limits
        if not os.WIFSIGNALED(ended.status):
            code = os.waitstatus_to_exitcode(ended.status)
            if code == SETUP_FAILED:
                raise SandboxError("a process could not be confined: " + self.usage.stdout.strip()[-200:])
            return CandidateFailed(Failure.CRASHED, f"exit status {code} without an answer")
        number = os.WTERMSIG(ended.status)
        if number == signal.SIGSYS:
            return CandidateFailed(Failure.FORBIDDEN, "a forbidden system call")
        if number in (signal.SIGKILL, signal.SIGXCPU) and ended.cpu_seconds >= limits.cpu_seconds:
            return CandidateFailed(Failure.TIMEOUT, f"more than {limits.cpu_seconds:g} s of CPU time")
        if ended.peak_memory >= NEARLY * limits.memory_bytes:
            return CandidateFailed(Failure.MEMORY, f"more than {limits.memory_bytes >> 20} MiB of memory")
        return CandidateFailed(Failure.CRASHED, f"killed by signal {number} without an answer")

    def _wait(self, event: int) -> None:
        poll = select.poll()
        poll.register(self._channel, event)
        poll.register(self._handle, select.POLLIN)
        while True:
            wall_left = self._deadline - time.monotonic()
            cpu_left = self._limits.cpu_seconds - self.cpu_seconds()
            if wall_left <= 0 or cpu_left <= 0:
                kind, limit = (
                    ("wall", self._limits.wall_seconds) if wall_left <= 0 else ("CPU", self._limits.cpu_seconds)
                )
                raise CandidateFailed(Failure.TIMEOUT, f"more than {limit:g} s of {kind} time")
            ready = dict(poll.poll(max(MIN_WAIT, min(wall_left, cpu_left)) * 1000))
            if self._channel.fileno() in ready or self._handle in ready:
                if self._channel.fileno() not in ready:
                    self._last_words()
                return

    def _last_words(self) -> None:
        """The process has died; unless bytes of it are still to be read, the call has failed."""
        try:
            self._channel.recv(1, socket.MSG_PEEK)
        except OSError:
            self._gone()

    def cpu_seconds(self) -> float:
        try:
            return self._clock.seconds()
        except OSError:
            return 0.0

    def _end(self) -> Ended:
        """Make sure that the process is dead, and settle what it used. Raises: SandboxError."""
        wall = time.monotonic() - self._started
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        ended = self._reap()
        size = os.fstat(self._output).st_size
        tail = os.pread(self._output, OUTPUT_TAIL, max(0, size - OUTPUT_TAIL))
        self._usage = Usage(ended.cpu_seconds, wall, ended.peak_memory, _clean(tail.decode("utf-8", "replace")))
        return ended

    @property
    def usage(self) -> Usage:
        """What the process used; known once it has ended."""
        if self._usage is None:
            raise SandboxError("the process has not ended yet")
        return self._usage

    def close(self) -> None:
        """End the process if it still lives. Raises: SandboxError where the zygote has died."""
        try:
            if self._usage is None:
                self._end()
        finally:
            self._channel.close()
            os.close(self._handle)
            os.close(self._output)


def _clean(message: str) -> str:
    """Bounded, and without control characters that would reach a terminal or a prompt (D15)."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in message[:MAX_MESSAGE])
