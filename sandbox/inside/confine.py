"""Shutting a freshly forked candidate in: namespaces, private files, limits, no capabilities, system call filter.

All of it is a list of system calls, made ready in the zygote: each page that a fork writes to is copied, and one loop
over finished arguments writes to the fewest.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
from collections.abc import Iterator
from enum import StrEnum

from .control import UNBOUNDED, Bounds
from .seccomp import Filter
from .system import Call, libc, make, raising

_NEW_MOUNTS, _NEW_PIDS, _NEW_IPC = 0x20000, 0x20000000, 0x8000000
_NOSUID, _NODEV, _NOEXEC, _RECURSIVE, _PRIVATE = 2, 4, 8, 0x4000, 0x40000
_CAPABILITIES_V3 = 0x20080522
_PR_SET_PDEATHSIG = 1
_FIRST_OTHER_DESCRIPTOR = 4
_HIGHEST_DESCRIPTOR = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
CHANNEL_DESCRIPTOR = 3
RESERVE_BYTES = 64 << 20
"""Address space on top of the limit, with which a candidate out of memory can still say so."""


class Layer(StrEnum):
    """What a candidate is shut in by."""

    PIDS = "PID namespace"
    FILES = "mount and IPC namespaces, private files"
    LIMITS = "resource limits"
    CAPABILITIES = "no capabilities"
    SYSTEM_CALLS = "system call filter"


UNJAILED = (Layer.LIMITS, Layer.SYSTEM_CALLS)
"""What needs no namespaces."""


_DIE_WITH_PARENT = Call("parent death signal", libc.prctl, (_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0))


def die_with_parent() -> None:
    make((_DIE_WITH_PARENT,))


def private_mounts() -> None:
    """Once in the zygote: mounts made by its forks stay theirs."""
    raising(libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None), "private mounts")


def new_pid_namespace() -> None:
    """The next fork becomes the init of its own PID namespace; ``back_to`` undoes it for the forks after."""
    raising(libc.unshare(_NEW_PIDS), "PID namespace")


def back_to(own_pidfd: int) -> None:
    raising(libc.setns(own_pidfd, _NEW_PIDS), "own PID namespace")


def confinement(
    layers: frozenset[Layer], scratch: str, system_calls: Filter | None, bounds: Bounds, proc: bool = False
) -> tuple[Call, ...]:
    """What a fork does before foreign code runs in it, in this order. With ``proc`` it gets a /proc of its own."""
    calls = list(_private_files(scratch, bounds.tmp_bytes) if Layer.FILES in layers else _unjailed(scratch))
    if proc and {Layer.FILES, Layer.PIDS} <= layers:
        calls.append(_own_proc())
    if Layer.LIMITS in layers:
        calls += _limits(bounds)
    if Layer.CAPABILITIES in layers:
        calls.append(_no_capabilities())
    if Layer.SYSTEM_CALLS in layers and system_calls is not None:
        calls += system_calls.calls()
    return tuple(calls)


def only_descriptors(stdin: str, channel: int, output: int) -> None:
    """0 reads the file ``stdin``, 1 and 2 write to ``output``, 3 is the channel; all others are closed."""
    nothing = os.open(stdin, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2), (channel, CHANNEL_DESCRIPTOR)):
        os.dup2(source, target, inheritable=False)
    os.closerange(_FIRST_OTHER_DESCRIPTOR, _HIGHEST_DESCRIPTOR)


def _unjailed(scratch: str) -> Iterator[Call]:
    yield _DIE_WITH_PARENT
    yield Call("working folder", libc.chdir, (scratch.encode(),))


def _private_files(scratch: str, tmp_bytes: int) -> Iterator[Call]:
    """New mount and IPC namespaces with an empty, bounded file system on ``scratch``."""
    place, options = scratch.encode(), b"size=%d,nr_inodes=4096" % tmp_bytes
    yield Call("mount and IPC namespaces", libc.unshare, (_NEW_MOUNTS | _NEW_IPC,))
    yield Call("private tmpfs", libc.mount, (b"tmpfs", place, b"tmpfs", _NOSUID | _NODEV, options))
    yield Call("working folder", libc.chdir, (place,))


def _own_proc() -> Call:
    """Over the zygote's: it shows this process and what it starts. Drivers of devices read maps and settings there."""
    return Call("own /proc", libc.mount, (b"proc", b"/proc", b"proc", _NOSUID | _NODEV | _NOEXEC, None))


def _limits(bounds: Bounds) -> Iterator[Call]:
    # A backstop: the trusted side kills at the exact limit. The kernel's own count runs ahead on a busy host.
    cpu = 2 * math.ceil(bounds.cpu_seconds) + 2
    for which, soft, hard in (
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_AS, bounds.address_space, min(bounds.address_space + RESERVE_BYTES, UNBOUNDED)),
        (resource.RLIMIT_FSIZE, bounds.tmp_bytes, bounds.tmp_bytes),
        (resource.RLIMIT_NOFILE, bounds.open_files, bounds.open_files),
        (resource.RLIMIT_NPROC, bounds.threads, bounds.threads),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        pair = (ctypes.c_uint64 * 2)(_capped(which, soft), _capped(which, hard))
        yield Call("resource limits", libc.setrlimit, (which, pair))


def _capped(which: int, value: int) -> int:
    """Below this process's own ceiling."""
    ceiling = resource.getrlimit(which)[1]
    return value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)


def release_reserve() -> None:
    """Let a candidate that ran out of memory report it."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _no_capabilities() -> Call:
    """All of them; no_new_privs keeps them from coming back."""
    return Call("capset", libc.capset, ((ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0), (ctypes.c_uint32 * 6)()))
