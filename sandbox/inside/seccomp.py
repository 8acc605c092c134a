"""The system calls a candidate may not make, as a BPF program (seccomp(2)); raw, because no package is in the jail."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
OFFSET_NUMBER, OFFSET_ARCH, OFFSET_ARGUMENT = 0, 4, 16
CLONE_THREAD = 0x00010000
X32 = 0x40000000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

NUMBERS = {
    "x86_64": {"clone": 56, "clone3": 435},
    "aarch64": {"clone": 220, "clone3": 435},
}

SAME_EVERYWHERE = (424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 447)
"""pidfd_send_signal, io_uring_*, open_tree, move_mount, fs*, pidfd_getfd, mount_setattr, memfd_secret."""

DENIED = {
    "x86_64": (
        *(41, 53, 42, 49, 50, 43, 288),  # socket, socketpair, connect, bind, listen, accept, accept4
        *(57, 58, 59, 322),  # fork, vfork, execve, execveat
        *(101, 310, 311, 298, 321, 323),  # ptrace, process_vm_readv/writev, perf_event_open, bpf, userfaultfd
        *(165, 166, 155, 161, 308, 272),  # mount, umount2, pivot_root, chroot, setns, unshare
        *(248, 249, 250, 246, 320, 175, 313, 176, 169, 167, 168),  # keys, kexec, modules, reboot, swap
        *(304, 303, 179, 103, 163, 135, 173, 172, 278),  # handles, quota, syslog, acct, personality, ports, vmsplice
        *(164, 227, 159, 305, 170, 171),  # clocks and names of the machine
        *(29, 30, 31, 64, 65, 66, 68, 69, 70, 240),  # System V and POSIX queues
        *(105, 106, 113, 114, 116, 117, 119, 122, 123),  # identities
        *(62, 200),  # kill, tkill
        *(203, 141, 142, 144, 251),  # affinity, priorities
    ),
    "aarch64": (
        *(198, 199, 203, 200, 201, 202, 242),
        *(221, 281),
        *(117, 270, 271, 241, 280, 282),
        *(40, 39, 41, 51, 268, 97),
        *(217, 218, 219, 104, 294, 105, 273, 106, 142, 224, 225),
        *(265, 264, 60, 116, 89, 92, 75),
        *(170, 112, 171, 266, 161, 162),
        *(194, 196, 195, 190, 191, 193, 186, 187, 188, 189, 180),
        *(143, 144, 145, 146, 147, 149, 151, 152, 159),
        *(129, 130),
        *(122, 118, 119, 140, 30),
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _step(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def program(machine: str) -> bytes:
    """Denied calls fail with EPERM, another architecture's calls kill, processes cannot be made, threads can.

    Raises: KeyError for a machine without a table.
    """
    numbers = NUMBERS[machine]
    steps = [
        _step(LOAD, 0, 0, OFFSET_ARCH),
        _step(JUMP_EQUAL, 1, 0, AUDIT_ARCH[machine]),
        _step(RETURN, 0, 0, KILL),
        _step(LOAD, 0, 0, OFFSET_NUMBER),
    ]
    if machine == "x86_64":
        steps += [_step(JUMP_AT_LEAST, 0, 1, X32), _step(RETURN, 0, 0, KILL)]
    steps += [
        _step(JUMP_EQUAL, 0, 4, numbers["clone"]),
        _step(LOAD, 0, 0, OFFSET_ARGUMENT),
        _step(JUMP_SET, 1, 0, CLONE_THREAD),
        _step(RETURN, 0, 0, ERRNO | errno.EPERM),
        _step(RETURN, 0, 0, ALLOW),
        # The flags of clone3 lie in memory, out of a filter's sight; glibc falls back to clone.
        _step(JUMP_EQUAL, 0, 1, numbers["clone3"]),
        _step(RETURN, 0, 0, ERRNO | errno.ENOSYS),
    ]
    for number in sorted({*DENIED[machine], *SAME_EVERYWHERE}):
        steps += [_step(JUMP_EQUAL, 0, 1, number), _step(RETURN, 0, 0, ERRNO | errno.EPERM)]
    return b"".join([*steps, _step(RETURN, 0, 0, ALLOW)])


class Filter:
    """Built once in the zygote, installed in every candidate."""

    def __init__(self) -> None:
        code = program(platform.machine())
        self._buffer = ctypes.create_string_buffer(code, len(code))
        self._program = _Program(len(code) // 8, ctypes.addressof(self._buffer))
        self._libc = ctypes.CDLL(None, use_errno=True)

    def install(self) -> None:
        """Raises: OSError where the kernel has no seccomp filters."""
        for arguments in (
            (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            (PR_SET_SECCOMP, FILTER, ctypes.byref(self._program), 0, 0),
        ):
            if self._libc.prctl(*arguments) != 0:
                raise OSError(ctypes.get_errno(), "prctl")
