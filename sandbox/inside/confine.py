"""What a fork does to itself before it runs a candidate: namespaces, private mounts, limits, no privileges."""

from __future__ import annotations

import ctypes
import os
import resource
from dataclasses import dataclass

NEWNS, NEWIPC, NEWPID = 0x20000, 0x8000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 0x4000, 0x40000
CAPABILITY_VERSION_3 = 0x20080522
CHANNEL = 3

libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Bounds:
    """The limits as the zygote is told them; see Limits."""

    cpu_seconds: float
    memory_bytes: int
    tmp_bytes: int
    threads: int
    open_files: int


def check(result: int, what: str) -> None:
    """Raises: OSError with errno where a libc call failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(kind: str | None, target: str, flags: int, options: str | None = None) -> None:
    name = kind.encode() if kind else None
    check(libc.mount(name, target.encode(), name, flags, options.encode() if options else None), f"mount {target}")


def private_file_system(tmp_bytes: int) -> None:
    """New mount and IPC namespaces with an own /tmp and /dev/shm, no /proc, and /dev read-only."""
    check(libc.unshare(NEWNS | NEWIPC), "unshare")
    mount(None, "/", MS_REC | MS_PRIVATE)
    mount("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, f"size={tmp_bytes},nr_inodes=4096")
    mount("tmpfs", "/proc", MS_NOSUID | MS_NODEV | MS_RDONLY, "size=4k,nr_inodes=2")
    mount("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, f"size={tmp_bytes},nr_inodes=256")
    mount(None, "/dev", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID)
    os.chdir("/tmp")


def descriptors(channel: int, output: int) -> None:
    """Standard input empty, both outputs bounded in ``output``, the channel at 3, everything else closed."""
    nothing = os.open("/dev/null", os.O_RDONLY)
    # The channel may itself sit at 0..3, so it is first moved out of the way.
    high_channel, high_output = (_above(fd) for fd in (channel, output))
    os.dup2(nothing, 0)
    os.dup2(high_output, 1)
    os.dup2(high_output, 2)
    os.dup2(high_channel, CHANNEL)
    os.closerange(CHANNEL + 1, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 4096 else 4096)


def _above(descriptor: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD, 16)


def limits(bounds: Bounds, base_bytes: int) -> None:
    """``base_bytes``: address space of the zygote, on top of which a candidate's memory counts.

    The first process of a PID namespace ignores SIGXCPU: the hard limit, one second above, kills it.
    """
    whole = int(bounds.cpu_seconds) + 1
    for kind, soft, hard in (
        (resource.RLIMIT_AS, base_bytes + bounds.memory_bytes, base_bytes + bounds.memory_bytes),
        (resource.RLIMIT_CPU, whole, whole + 1),
        (resource.RLIMIT_FSIZE, bounds.tmp_bytes, bounds.tmp_bytes),
        (resource.RLIMIT_NOFILE, bounds.open_files, bounds.open_files),
        (resource.RLIMIT_NPROC, bounds.threads, bounds.threads),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(kind, (soft, hard))


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def drop_capabilities() -> None:
    header, data = _Header(CAPABILITY_VERSION_3, 0), (_Data * 2)()
    check(libc.capset(ctypes.byref(header), ctypes.byref(data)), "capset")
