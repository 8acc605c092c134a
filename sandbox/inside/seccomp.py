"""System call filters as raw BPF, for x86-64 and aarch64; other machines have none."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .system import Call, libc

# name: (x86-64, aarch64 or None where it does not exist); Linux's syscall tables (arch/x86/entry/syscalls,
# include/uapi/asm-generic/unistd.h).
_ZYGOTE_DENIES: dict[str, tuple[int, int | None]] = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "ptrace": (101, 117), "pivot_root": (155, 41), "chroot": (161, 51),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "process_madvise": (440, 440), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "quotactl": (179, 60), "quotactl_fd": (443, 443), "syslog": (103, 116),
    "acct": (163, 89), "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162), "ioperm": (173, None),
    "iopl": (172, None), "vmsplice": (278, 75), "personality": (135, 92), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "open_tree": (428, 428),
    "move_mount": (429, 429), "mount_setattr": (442, 442), "pidfd_getfd": (438, 438), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145),
    "setregid": (114, 143), "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159),
    "setfsuid": (122, 151), "setfsgid": (123, 152), "execve": (59, 221), "execveat": (322, 281),
    "uselib": (134, None), "ustat": (136, None), "sysfs": (139, None), "mknod": (133, None), "mknodat": (259, 33),
    "fanotify_init": (300, 262), "lookup_dcookie": (212, 18), "modify_ldt": (154, None), "kcmp": (312, 272),
    "setpriority": (141, 140), "ioprio_set": (251, 30),
}  # fmt: skip
_FOR_DEVICES = frozenset(("memfd_create", "socket", "bind", "listen", "accept", "accept4", "connect"))
"""Denied, but for candidates with a device, whose driver makes sockets; of the local family only, see below."""
_AF_UNIX = 1
_OF_ITSELF_ONLY: dict[str, tuple[int, int | None]] = {
    "prlimit64": (302, 261), "sched_setaffinity": (203, 122), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
}  # fmt: skip
"""Allowed where the first argument, a process id, is 0. Candidates of one container can name each other's zygote."""
_CANDIDATE_DENIES: dict[str, tuple[int, int | None]] = {
    "mount": (165, 40), "umount2": (166, 39), "unshare": (272, 97), "setns": (308, 268), "fork": (57, None),
    "vfork": (58, None), "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424),
    "pidfd_open": (434, 434),
}  # fmt: skip
_FOR_PROCESSES = frozenset(
    ("execve", "fork", "vfork", "kill", "tkill", "tgkill", "pidfd_open", "pidfd_send_signal", "socketpair")
)
"""Denied, but for candidates that may start processes."""
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_LAST_KNOWN = 462
"""System calls newer than this list (mseal, Linux 6.10) do not exist for candidates."""
_X32 = 0x40000000
_CLONE_THREAD = 0x10000
_CLONE_NAMESPACES = 0x7E020000
"""Mount, cgroup, UTS, IPC, user, PID and network."""

_LOAD, _EQUAL, _GREATER, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2


@dataclass(frozen=True)
class _Machine:
    audit: int
    column: int


_MACHINES = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class Filter:
    """A compiled filter, made once and installed in many forks."""

    def __init__(self, instructions: list[bytes]) -> None:
        self._code = ctypes.create_string_buffer(b"".join(instructions))
        self._program = _Program(len(instructions), ctypes.addressof(self._code))

    def calls(self) -> Iterator[Call]:
        """That install it for a thread and all that it starts, for good."""
        yield Call("no_new_privs", libc.prctl, (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        yield Call("seccomp", libc.prctl, (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(self._program), 0, 0))


def filters(processes: bool = False, device: bool = False) -> tuple[Filter, Filter] | None:
    """For the zygote (inherited by candidates) and, on top of it, for a candidate; None on other machines.

    With ``processes`` candidates may start some and signal them: all of them die with the init of their namespace.
    With ``device`` they may also make sockets, of the local family in a network namespace where nobody else is.
    They are two because the kernel's work at installing grows with the filter and is paid for by each candidate.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return None
    allowed = (_FOR_PROCESSES if processes else frozenset()) | (_FOR_DEVICES if device else frozenset())
    return Filter(_zygote(machine, allowed)), Filter(_candidate(machine, allowed, processes))


def _zygote(machine: _Machine, allowed: frozenset[str] = frozenset()) -> list[bytes]:
    foreign = [_op(_LOAD, _MACHINE_AT), _op(_EQUAL, machine.audit, 1, 0), _op(_RETURN, _KILL), _op(_LOAD, _NUMBER_AT)]
    if machine.column == 0:
        foreign += [_op(_AT_LEAST, _X32, 0, 1), _op(_RETURN, _KILL)]
    unknown = [_op(_GREATER, _LAST_KNOWN, 0, 1), _op(_RETURN, _ERRNO | errno.ENOSYS)]
    of_others = [instruction for number in _numbers(_OF_ITSELF_ONLY, machine) for instruction in _only_with(number, 0)]
    sockets = _only_with(_ZYGOTE_DENIES["socket"][machine.column] or 0, _AF_UNIX) if "socket" in allowed else []
    return [
        *foreign,
        *unknown,
        *of_others,
        *sockets,
        *_denied(_numbers(_ZYGOTE_DENIES, machine, allowed)),
        _op(_RETURN, _ALLOW),
    ]


def _only_with(number: int, first_argument: int) -> list[bytes]:
    return [
        _op(_EQUAL, number, 0, 4),
        _op(_LOAD, _FIRST_ARGUMENT_AT),
        _op(_EQUAL, first_argument, 1, 0),
        _op(_RETURN, _ERRNO | errno.EPERM),
        _op(_RETURN, _ALLOW),
    ]


def _candidate(machine: _Machine, allowed: frozenset[str] = frozenset(), processes: bool = False) -> list[bytes]:
    """Threads are allowed, processes are not: so there are no descendants whose work could be hidden.

    With ``processes`` they are, but no namespaces.
    """
    clone, clone3 = _CLONE[machine.column], _CLONE3[machine.column]
    return [
        _op(_LOAD, _NUMBER_AT),
        _op(_EQUAL, clone, 0, 4),
        _op(_LOAD, _FIRST_ARGUMENT_AT),
        _op(_ANY_BIT, _CLONE_NAMESPACES, 0, 1) if processes else _op(_ANY_BIT, _CLONE_THREAD, 1, 0),
        _op(_RETURN, _ERRNO | errno.EPERM),
        _op(_RETURN, _ALLOW),
        # clone3 keeps its flags in memory, where a filter cannot look; the C library falls back to clone.
        _op(_EQUAL, clone3, 0, 1),
        _op(_RETURN, _ERRNO | errno.ENOSYS),
        *_denied(_numbers(_CANDIDATE_DENIES, machine, allowed)),
        _op(_RETURN, _ALLOW),
    ]


def _numbers(
    table: dict[str, tuple[int, int | None]], machine: _Machine, allowed: frozenset[str] = frozenset()
) -> list[int]:
    column = [numbers[machine.column] for name, numbers in table.items() if name not in allowed]
    return sorted(number for number in column if number is not None)


def _denied(numbers: Iterable[int]) -> list[bytes]:
    pairs = ([_op(_EQUAL, number, 0, 1), _op(_RETURN, _ERRNO | errno.EPERM)] for number in numbers)
    return [instruction for pair in pairs for instruction in pair]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
