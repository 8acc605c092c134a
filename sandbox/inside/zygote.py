"""The fork server inside the jail: warm, and never runs candidate code itself."""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import socket
import sys
import traceback

from . import confine, runner
from .confine import CHANNEL, Bounds, libc
from .seccomp import Filter

MAX_REQUEST = 1 << 12
SETUP_FAILED = 97


def warm(modules: list[str]) -> None:
    """Import what candidates use, and what numpy loads at its first use."""
    for name in modules:
        importlib.import_module(name)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.default_rng(0).normal(size=4)
        numpy.linalg.norm(numpy.linalg.inv(numpy.eye(3)))
        numpy.array2string(numpy.arange(3.0))
    if "" in sys.path:
        sys.path.remove("")


def base_bytes() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123 - pathlib is not needed in the jail
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


class Zygote:
    """Forks one child per request; a request names the limits and carries the channel and the output file."""

    def __init__(self, control: socket.socket, confined: bool) -> None:
        self._control = control
        self._confined = confined
        self._filter = Filter() if confined else None
        self._home = os.open("/proc/self/ns/pid", os.O_RDONLY) if confined else None
        self._base = base_bytes()

    def serve(self) -> None:
        """Until the other end closes."""
        while True:
            request, descriptors, _, _ = socket.recv_fds(self._control, MAX_REQUEST, 2)
            if not request:
                return
            self._spawn(Bounds(**json.loads(request)), *descriptors)

    def _spawn(self, bounds: Bounds, channel: int, output: int) -> None:
        if self._confined:
            confine.check(libc.unshare(confine.NEWPID), "unshare")
        child = os.fork()
        if child == 0:
            self._become(bounds, channel, output)
        if self._home is not None:
            confine.check(libc.setns(self._home, confine.NEWPID), "setns")
        os.close(channel)
        os.close(output)
        handle = os.pidfd_open(child)
        socket.send_fds(self._control, [b"started"], [handle])
        os.close(handle)
        _, status, usage = os.wait4(child, 0)
        cpu = usage.ru_utime + usage.ru_stime
        self._control.send(json.dumps([status, cpu, usage.ru_maxrss * 1024]).encode())

    def _become(self, bounds: Bounds, channel: int, output: int) -> None:
        """The child: give up everything, then run the candidate. Never returns."""
        try:
            os.setsid()
            if self._confined:
                confine.private_file_system(bounds.tmp_bytes)
            confine.descriptors(channel, output)
            confine.limits(bounds, self._base)
            if self._filter is not None:
                confine.drop_capabilities()
                self._filter.install()
        except BaseException:
            traceback.print_exc()
            os._exit(SETUP_FAILED)
        runner.run(CHANNEL)


def main(arguments: list[str]) -> None:
    """``arguments``: control descriptor, ``confined`` or ``open``, JSON list of modules, extra import path."""
    control = socket.socket(fileno=int(arguments[0]))
    if arguments[3]:
        sys.path.append(arguments[3])
    ctypes.set_errno(0)
    warm(json.loads(arguments[2]))
    zygote = Zygote(control, arguments[1] == "confined")
    gc.collect()
    gc.freeze()
    gc.disable()
    control.send(b"ready")
    zygote.serve()
