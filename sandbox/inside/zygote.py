"""A fork server that has imported what candidates need and never runs a candidate's code.

It talks to the trusted side over a SOCK_SEQPACKET socket; see control.py.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import types
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from . import confine
from .channel import Channel
from .control import SPAWN_BYTES, Ended, Failed, Ready, Spawned, pack, unpack_bounds, unpack_spawn
from .rehearsal import rehearse
from .runner import Runner, open_streams, refuse_setup, serve
from .seccomp import filters
from .shared import Shared
from .system import Call, make

_RIGHTS = (socket.SOL_SOCKET, socket.SCM_RIGHTS)
_DESCRIPTOR, _DESCRIPTORS = struct.Struct("i"), struct.Struct("2i")
_ANCILLARY_BYTES = socket.CMSG_SPACE(_DESCRIPTORS.size)


@dataclass(frozen=True)
class Setting:
    """What the trusted side asks of its zygote. ``jailed`` is false only for an explicit --unsafe."""

    control: int
    jailed: bool
    helpers: str | None
    imports: tuple[str, ...]
    scratch: str
    omitted: tuple[str, ...] = ()
    """Layers left out, to measure what each one costs."""
    shared: tuple[str, ...] = ()
    """In a container, whose candidates have no private files: the folders they can write to, emptied after each."""
    stdin: str = os.devnull
    """An empty file."""
    processes: bool = False
    """Whether candidates may start some, which end with them."""
    device: str = ""
    """``cuda`` or ``cpu`` where candidates are given a device, which each fork opens for itself."""

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Setting:
        lists: dict[str, Any] = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return cls(**fields | lists)

    @classmethod
    def parse(cls, text: str) -> Setting:
        return cls.of(json.loads(text))

    def text(self) -> str:
        return json.dumps(asdict(self))

    def layers(self) -> frozenset[confine.Layer]:
        return frozenset(confine.Layer if self.jailed else confine.UNJAILED) - frozenset(self.omitted)


@dataclass
class Zygote:
    setting: Setting
    trusted: socket.socket
    own_pidfd: int
    own_pids: bool
    """Whether each candidate is the init of a PID namespace of its own."""
    filtered: bool
    confinement: Callable[[bytes], tuple[Call, ...]]
    """Made once for candidates with the same bounds."""
    runner: Runner
    """What every fork becomes; made once, so that forks have less to do and so to copy."""
    shared: Shared | None
    children: dict[int, tuple[int, int]] = field(default_factory=dict)
    """pidfd -> (number, pid)"""

    def serve(self) -> None:
        poll = select.poll()
        poll.register(self.trusted, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor != self.trusted.fileno():
                    poll.unregister(descriptor)
                    self._reap(descriptor)
                    continue
                message, attached, _, _ = self.trusted.recvmsg(SPAWN_BYTES, _ANCILLARY_BYTES, socket.MSG_CMSG_CLOEXEC)
                if not message:
                    return
                number, bounds = unpack_spawn(message)
                channel, output = _DESCRIPTORS.unpack(attached[0][2])
                poll.register(self._spawn(number, self.confinement(bounds), channel, output), select.POLLIN)

    def _spawn(self, number: int, confinement: tuple[Call, ...], channel: int, output: int) -> int:
        if self.own_pids:
            confine.new_pid_namespace()
        pid = os.fork()
        if pid == 0:
            self._candidate(confinement, channel, output)
        if self.own_pids:
            confine.back_to(self.own_pidfd)
        os.close(channel)
        os.close(output)
        pidfd = os.pidfd_open(pid)
        self.children[pidfd] = (number, pid)
        self.trusted.sendmsg([pack(Spawned(number))], [(*_RIGHTS, _DESCRIPTOR.pack(pidfd))])
        return pidfd

    def _candidate(self, confinement: tuple[Call, ...], channel: int, output: int) -> None:
        reachable = channel
        try:
            if self.shared is not None:
                if self.children:
                    raise OSError("a container holds one candidate at a time")
                self.shared.close()
            confine.only_descriptors(self.setting.stdin, channel, output)
            reachable = confine.CHANNEL_DESCRIPTOR
            make(confinement)
        except OSError as error:
            refuse_setup(reachable, str(error))
        serve(self.runner)

    def _reap(self, pidfd: int) -> None:
        number, pid = self.children.pop(pidfd)
        _, status, usage = os.wait4(pid, 0)
        os.close(pidfd)
        if self.shared is not None:
            self.shared.empty()
        cpu = usage.ru_utime + usage.ru_stime
        self.trusted.send(pack(Ended(number, status, cpu, usage.ru_maxrss << 10)))


def main(argument: str) -> None:
    run(Setting.parse(argument))


def run(setting: Setting) -> None:
    """Set up, say so (or why not), serve until the trusted side hangs up."""
    trusted = socket.socket(fileno=setting.control)
    confine.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the group; the trusted side decides
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        zygote = _prepare(setting, trusted)
    except (ImportError, OSError) as error:
        trusted.send(pack(Failed(f"{type(error).__name__}: {error}")))
        return
    ready = Ready(zygote.filtered)
    socket.send_fds(trusted, [pack(ready)], [zygote.own_pidfd])
    zygote.serve()


def _prepare(setting: Setting, trusted: socket.socket) -> Zygote:
    if setting.jailed:
        confine.private_mounts()
    if setting.helpers is not None:
        _offer_helpers(setting.helpers)
    for name in setting.imports:
        importlib.import_module(name)
    rehearse()
    shared = Shared(setting.shared) if setting.shared else None
    own_pidfd = os.pidfd_open(os.getpid())
    layers = setting.layers()
    allowed = filters(setting.processes, bool(setting.device)) if confine.Layer.SYSTEM_CALLS in layers else None
    own_filter, candidate_filter = allowed or (None, None)
    if own_filter is not None:
        make(own_filter.calls())
    open_streams()
    runner = _runner(setting.device)
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page in every fork

    @functools.lru_cache(maxsize=64)
    def confinement(bounds: bytes) -> tuple[Call, ...]:
        bound = unpack_bounds(bounds)
        return confine.confinement(layers, setting.scratch, candidate_filter, bound, proc=bool(setting.device))

    own_pids, filtered = confine.Layer.PIDS in layers, candidate_filter is not None
    return Zygote(setting, trusted, own_pidfd, own_pids, filtered, confinement, runner, shared)


def _runner(device: str) -> Runner:
    channel = Channel(confine.CHANNEL_DESCRIPTOR)
    if not device:
        return Runner(channel)
    from .accelerator import accelerator
    from .resident import DeviceRunner

    return DeviceRunner(channel, accelerator(device))


def _offer_helpers(folder: str) -> None:
    package = types.ModuleType("helpers", "Read-only modules that the task gives to candidates.")
    package.__path__ = [folder]
    sys.modules["helpers"] = package
