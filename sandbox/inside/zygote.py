"""A fork server that has imported what candidates need and never runs a candidate's code.

It talks to the trusted side over a SOCK_SEQPACKET socket; see control.py.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import types
from dataclasses import asdict, dataclass, field
from typing import Any

from . import confine
from .channel import Channel
from .control import MESSAGE_BYTES, Bounds, Ended, Failed, Ready, Spawned, pack, unpack_spawn
from .runner import Runner, open_streams, refuse_setup, serve
from .seccomp import Filter, filters
from .shared import Shared


@dataclass(frozen=True)
class Setting:
    """What the trusted side asks of its zygote. ``jailed`` is false only for an explicit --unsafe."""

    control: int
    jailed: bool
    helpers: str | None
    imports: tuple[str, ...]
    scratch: str
    shared: tuple[str, ...] = ()
    """In a container, whose candidates have no private files: the folders they can write to, emptied after each."""
    stdin: str = os.devnull
    """An empty file."""

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Setting:
        lists: dict[str, Any] = {name: tuple(fields[name]) for name in ("imports", "shared")}
        return cls(**fields | lists)

    @classmethod
    def parse(cls, text: str) -> Setting:
        return cls.of(json.loads(text))

    def text(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Zygote:
    setting: Setting
    trusted: socket.socket
    own_pidfd: int
    candidate_filter: Filter | None
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
                message, attached, _, _ = socket.recv_fds(self.trusted, MESSAGE_BYTES, 2, socket.MSG_CMSG_CLOEXEC)
                if not message:
                    return
                poll.register(self._spawn(*unpack_spawn(message), *attached), select.POLLIN)

    def _spawn(self, number: int, bounds: Bounds, channel: int, output: int) -> int:
        limits = confine.resource_limits(bounds)
        if self.setting.jailed:
            confine.new_pid_namespace()
        pid = os.fork()
        if pid == 0:
            self._candidate(bounds, limits, channel, output)
        if self.setting.jailed:
            confine.back_to(self.own_pidfd)
        os.close(channel)
        os.close(output)
        pidfd = os.pidfd_open(pid)
        self.children[pidfd] = (number, pid)
        socket.send_fds(self.trusted, [pack(Spawned(number))], [pidfd])
        return pidfd

    def _candidate(self, bounds: Bounds, limits: confine.ResourceLimits, channel: int, output: int) -> None:
        reachable = channel
        try:
            if self.setting.jailed:
                confine.private_files(self.setting.scratch, bounds.tmp_bytes)
            else:
                confine.die_with_parent()
                os.chdir(self.setting.scratch)
            if self.shared is not None:
                if self.children:
                    raise OSError("a container holds one candidate at a time")
                self.shared.close()
            confine.only_descriptors(self.setting.stdin, channel, output)
            reachable = confine.CHANNEL_DESCRIPTOR
            confine.limit(limits)
            if self.setting.jailed:
                confine.drop_capabilities()
            confine.lock(self.candidate_filter)
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
    ready = Ready(zygote.candidate_filter is not None)
    socket.send_fds(trusted, [pack(ready)], [zygote.own_pidfd])
    zygote.serve()


def _prepare(setting: Setting, trusted: socket.socket) -> Zygote:
    if setting.jailed:
        confine.private_mounts()
    if setting.helpers is not None:
        _offer_helpers(setting.helpers)
    for name in setting.imports:
        importlib.import_module(name)
    _warm()
    shared = Shared(setting.shared) if setting.shared else None
    own_filter, candidate_filter = filters() or (None, None)
    own_pidfd = os.pidfd_open(os.getpid())
    confine.lock(own_filter)
    open_streams()
    runner = Runner(Channel(confine.CHANNEL_DESCRIPTOR))
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page in every fork
    return Zygote(setting, trusted, own_pidfd, candidate_filter, runner, shared)


def _offer_helpers(folder: str) -> None:
    package = types.ModuleType("helpers", "Read-only modules that the task gives to candidates.")
    package.__path__ = [folder]
    sys.modules["helpers"] = package


def _warm() -> None:
    """First uses that would otherwise be paid for in every fork."""
    import numpy as np

    np.random.default_rng(0).normal(size=4).sum()
    matrix = np.eye(3)
    np.linalg.solve(matrix, matrix @ matrix)
    np.linalg.norm(matrix)
