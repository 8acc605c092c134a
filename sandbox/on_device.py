"""One candidate process with a device: its inputs lie there, sealed, before its code is loaded; the clock is outside.

A process is told, in this order: to open the device; to take the sealed inputs of every call there; to rehearse what a
call costs without a program; the program; and then, call by call, the key of its inputs. The span of a call is what
passes on the trusted side's clock from the key to the last byte of the reply: the inputs are resident at its start, the
results are back at its end. From it the rehearsed cost of the way is taken off. Where the CPU takes a GPU's place the
clock is that of the process's CPU time, read from outside, since wall time on a shared machine says nothing.

The last byte and not the first one, since a candidate could send the head of a frame before its work is done.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import nvml
from .clock import cpu_seconds
from .device import Device
from .inside import sealing
from .inside.channel import Closed, Kind
from .inside.wire import WireError
from .limits import MIB, Limits
from .outcome import CandidateFailed, Failure, SandboxError
from .process import Process, Serves
from .slot import Zygote

RESOLUTION = 1e-6
"""Seconds; no call is said to take less."""
_PREPARE_SECONDS = 120.0
"""For one step before the program: a driver that wakes up, gigabytes of inputs."""
_REHEARSALS = 5
_FEW_WORDS, _LEAST_WORDS = 1 << 10, 1 << 15
"""Rehearsed are the few, and as many more as the largest input has, or as can be told from the few."""
_LOOK_SECONDS = 0.05
"""Between looks at the memory in use."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Way:
    """What a call costs beside the program's work, as rehearsed in its own process: seconds, seconds a byte."""

    fixed: float
    per_input: float
    per_output: float

    def seconds(self, input_bytes: int, output_bytes: int) -> float:
        return self.fixed + self.per_input * input_bytes + self.per_output * output_bytes


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one call, in seconds: ``work`` is the span without the way. The device's own clock is the candidate's word."""

    span: float
    way: float
    device_clock: float

    @property
    def work(self) -> float:
        return max(self.span - self.way, RESOLUTION)


@dataclass(frozen=True, slots=True)
class _Placed:
    key: sealing.Key
    rest: dict[str, Any]
    bytes: int


class DeviceProcess(Process):
    """Made by ``Sandbox.device_process``. First ``place``, then ``load``, then ``run`` for each of what was placed."""

    def __init__(self, device: Device, zygote: Zygote, files: Mapping[str, str], limits: Limits) -> None:
        self._device = device
        self._gpu = nvml.gpu(device.index) if device.kind == "cuda" else None
        self._before = self._gpu_used()
        self._peak = 0
        self._looked = 0.0
        self._way = Way(0.0, 0.0, 0.0)
        self._placed: list[_Placed] = []
        self.timings: list[Timing] = []
        super().__init__(zygote, files, limits)

    def call(self, entry: str, inputs: Mapping[str, Any], oracle: Serves | None = None) -> Any:
        """One call with these inputs, from the start: a process is used for it alone."""
        if oracle is not None:
            raise SandboxError("a program on a device is given no oracle")
        self.place([inputs])
        self.load()
        return self.run(entry, 0)

    def place(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Open the device and move the inputs of all calls there, sealed. Raises: SandboxError."""
        self._prepare(Kind.DEVICE, self._limits.device_bytes)
        words = 0
        for number, one in enumerate(inputs):
            packed, key = sealing.packed(one), sealing.key_of(secrets.token_bytes(16))
            sealing.toggle(packed.words, _counter(len(packed.words)), key)
            self._prepare(Kind.PLACE, (number, packed.layout, packed.words))
            self._placed.append(_Placed(key, packed.rest, packed.words.nbytes))
            words = max(words, len(packed.words))
        self._way = self._rehearsed(max(words, _LEAST_WORDS))

    def load(self) -> None:
        """The program's files, and whatever they do when they are imported. Raises: CandidateFailed, SandboxError."""
        files, self._unsent = dict(self._unsent or {}), None
        if self._pid is not None:
            with contextlib.suppress(OSError):  # it has ended, which the channel says too
                self._cpu_before = cpu_seconds(self._pid)  # what came before was ours
        with self._conversing():
            self._send((Kind.LOAD, files))
            self._settle()

    def run(self, entry: str, number: int) -> Any:
        """What ``entry`` returns for the inputs placed as ``number``, which it has not met before; timed.

        Raises: CandidateFailed, SandboxError.
        """
        placed = self._placed[number]
        with self._conversing():
            if self.timings:
                self._settle()
            begin = self._clock()
            self._send((Kind.RUN, (entry, number, placed.key, placed.rest)))
            kind, value = self._channel.receive(self._limits.output_bytes)
            span = self._clock() - begin
            output, device_clock = self._returned(kind, value)
            self.timings.append(Timing(span, self._way.seconds(placed.bytes, _bytes(output)), device_clock))
            return output

    @property
    def device_peak(self) -> int:
        """Bytes of the device's memory, as seen from outside; 0 where nobody could look."""
        return self._peak

    def _settle(self) -> None:
        self._send((Kind.SETTLE, None))
        kind, value = self._channel.receive(self._limits.output_bytes)
        if kind is not Kind.DONE:
            self._outcome(Kind.RAISE if kind is Kind.RETURN else kind, value)

    def _returned(self, kind: Kind, value: Any) -> tuple[Any, float]:
        match kind, value:
            case Kind.RETURN, (output, float(seconds)):
                return output, seconds
        return self._outcome(Kind.RAISE if kind is Kind.RETURN else kind, value)

    def _rehearsed(self, words: int) -> Way:
        """From the quickest of several rehearsals each, so that no more is taken off than the way must take."""
        few = _FEW_WORDS
        fixed, more_in, more_out = (
            self._quickest(inputs, outputs)
            for inputs, outputs in ((few, few * 8), (few + words, few * 8), (few, (few + words) * 8))
        )
        per_input, per_output = (max(0.0, more - fixed) / (words * 8) for more in (more_in, more_out))
        return Way(max(0.0, fixed - (per_input + per_output) * few * 8), per_input, per_output)

    def _quickest(self, input_words: int, output_bytes: int) -> float:
        key = sealing.key_of(secrets.token_bytes(16))
        return min(self._prepare(Kind.REHEARSE, (key, input_words, output_bytes)) for _ in range(_REHEARSALS))

    def _prepare(self, kind: Kind, value: Any) -> float:
        """A step in which no candidate's code has part: seconds to the end of the reply. Raises: SandboxError."""
        self._deadline = time.monotonic() + _PREPARE_SECONDS
        try:
            begin = self._clock()
            self._send((kind, value))
            replied, said = self._channel.receive()
            spent = self._clock() - begin
        except (Closed, WireError, CandidateFailed) as error:
            raise SandboxError(f"{self._device.name} could not be made ready: {error or 'no reply'}") from error
        if replied is not Kind.DONE:
            raise SandboxError(f"{self._device.name} could not be made ready: {said}")
        return spent

    def _clock(self) -> float:
        """Seconds. Raises: Closed where there is nothing left to be timed."""
        if self._device.kind == "cuda" or self._pid is None:
            return time.monotonic()
        try:
            return cpu_seconds(self._pid)
        except OSError as error:
            raise Closed from error

    def _wall_left(self) -> float:
        return self._limits.wall_seconds

    def _within_limits(self) -> float:
        left = super()._within_limits()
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._look()
        return min(left, _LOOK_SECONDS)

    def _look(self) -> None:
        """At the memory in use, which inside the jail the candidate could tell or bound as it likes."""
        if self._gpu is not None:
            used = self._gpu_used() - self._before
            self._peak = max(self._peak, used)
            if used > self._limits.device_bytes:
                self._fail(Failure.MEMORY, f"more than {self._limits.device_bytes // MIB:,} MiB of the device's memory")
        if self._resident() > self._limits.memory_bytes + self._zygote.resident_bytes:
            self._fail(Failure.MEMORY, f"more than {self._limits.memory_bytes // MIB:,} MiB of memory")

    def _gpu_used(self) -> int:
        try:
            return 0 if self._gpu is None else self._gpu.used_bytes()
        except OSError as error:
            raise SandboxError(f"{self._device.name} does not answer: {error}") from error

    def _resident(self) -> int:
        try:
            return int(Path(f"/proc/{self._pid}/statm").read_text().split()[1]) * _PAGE
        except OSError:  # it has not started, or has ended, which the channel says too
            return 0


def _counter(count: int) -> np.ndarray:
    return np.arange(min(max(count, 1), sealing.CHUNK), dtype=np.int64)


def _bytes(value: Any) -> int:
    """Of all arrays in it."""
    if isinstance(value, list | tuple):
        return sum(map(_bytes, value))
    if isinstance(value, dict):
        return sum(map(_bytes, value.values()))
    return int(getattr(value, "nbytes", 0))
