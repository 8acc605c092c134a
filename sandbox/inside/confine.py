"""Shutting a freshly forked candidate in: namespaces, private files, limits, no capabilities, system call filter."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import resource
import signal

from .control import Bounds
from .seccomp import Filter
from .system import libc, raising

_NEW_MOUNTS, _NEW_PIDS, _NEW_IPC = 0x20000, 0x20000000, 0x8000000
_NOSUID, _NODEV, _RECURSIVE, _PRIVATE = 2, 4, 0x4000, 0x40000
_CAPABILITIES_V3 = 0x20080522
_CAPABILITY_HEADER = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
_NO_CAPABILITIES = (ctypes.c_uint32 * 6)()
_PR_SET_PDEATHSIG = 1
_FIRST_OTHER_DESCRIPTOR = 4
CHANNEL_DESCRIPTOR = 3
ResourceLimits = tuple[tuple[int, tuple[int, int]], ...]
"""(resource, (soft, hard))"""
RESERVE_BYTES = 64 << 20
"""Address space on top of the limit, with which a candidate out of memory can still say so."""


def die_with_parent() -> None:
    raising(libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0), "parent death signal")


def private_mounts() -> None:
    """Once in the zygote: mounts made by its forks stay theirs."""
    raising(libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None), "private mounts")


def new_pid_namespace() -> None:
    """The next fork becomes the init of its own PID namespace; ``back_to`` undoes it for the forks after."""
    raising(libc.unshare(_NEW_PIDS), "PID namespace")


def back_to(own_pidfd: int) -> None:
    raising(libc.setns(own_pidfd, _NEW_PIDS), "own PID namespace")


def private_files(scratch: str, tmp_bytes: int) -> None:
    """New mount and IPC namespaces with an empty, bounded file system on ``scratch``."""
    raising(libc.unshare(_NEW_MOUNTS | _NEW_IPC), "mount and IPC namespaces")
    options = b"size=%d,nr_inodes=4096" % tmp_bytes
    raising(libc.mount(b"tmpfs", scratch.encode(), b"tmpfs", _NOSUID | _NODEV, options), "private tmpfs")
    os.chdir(scratch)


def only_descriptors(stdin: str, channel: int, output: int) -> None:
    """0 reads the file ``stdin``, 1 and 2 write to ``output``, 3 is the channel; all others are closed."""
    nothing = os.open(stdin, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2), (channel, CHANNEL_DESCRIPTOR)):
        os.dup2(source, target, inheritable=False)
    os.closerange(_FIRST_OTHER_DESCRIPTOR, _highest_descriptor())


def _highest_descriptor() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@functools.lru_cache(maxsize=64)
def resource_limits(bounds: Bounds) -> ResourceLimits:
    """Below this process's own ceilings; worked out in the zygote, once for all its forks."""
    # A backstop: the trusted side kills at the exact limit. The kernel's own count runs ahead on a busy host.
    cpu = 2 * math.ceil(bounds.cpu_seconds) + 2
    wanted = (
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_AS, bounds.address_space, bounds.address_space + RESERVE_BYTES),
        (resource.RLIMIT_FSIZE, bounds.tmp_bytes, bounds.tmp_bytes),
        (resource.RLIMIT_NOFILE, bounds.open_files, bounds.open_files),
        (resource.RLIMIT_NPROC, bounds.threads, bounds.threads),
        (resource.RLIMIT_CORE, 0, 0),
    )
    return tuple((which, (_capped(which, soft), _capped(which, hard))) for which, soft, hard in wanted)


def _capped(which: int, value: int) -> int:
    ceiling = resource.getrlimit(which)[1]
    return value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)


def limit(limits: ResourceLimits) -> None:
    for which, pair in limits:
        resource.setrlimit(which, pair)


def release_reserve() -> None:
    """Let a candidate that ran out of memory report it."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def drop_capabilities() -> None:
    """All of them; no_new_privs keeps them from coming back."""
    raising(libc.capset(_CAPABILITY_HEADER, _NO_CAPABILITIES), "capset")


def lock(system_calls: Filter | None) -> None:
    if system_calls is not None:
        system_calls.install()
