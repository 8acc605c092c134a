"""The filters of both architectures, run by an interpreter of the kernel's BPF subset; numbers from the C headers."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from speciate.sandbox.inside import seccomp
from speciate.sandbox.inside.seccomp import (
    _CANDIDATE_DENIES,
    _MACHINES,
    _OF_ITSELF_ONLY,
    _ZYGOTE_DENIES,
    _candidate,
    _zygote,
)

ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSED, UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    # What aarch64's own header includes.
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
NEEDED = {
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66), "openat": (257, 56), "close": (3, 57),
    "mmap": (9, 222), "munmap": (11, 215), "brk": (12, 214), "mprotect": (10, 226), "madvise": (28, 233),
    "futex": (202, 98), "exit": (60, 93), "exit_group": (231, 94), "rt_sigprocmask": (14, 135), "prlimit64": (302, 261),
    "clock_gettime": (228, 113), "getrandom": (318, 278), "statx": (332, 291), "lseek": (8, 62), "ppoll": (271, 73),
    "mkdirat": (258, 34), "unlinkat": (263, 35), "sched_yield": (24, 124), "set_robust_list": (273, 99),
}  # fmt: skip
CLONE_THREAD, SIGCHLD = 0x10000, 17
machines = pytest.mark.parametrize("name", ["x86_64", "aarch64"])


def outcome(program: list[bytes], audit: int, number: int, first_argument: int = 0) -> int:
    """What the filter returns for a system call, after classic BPF as in linux/filter.h and linux/bpf_common.h."""
    data = struct.pack("<IIQ6Q", number, audit, 0, first_argument, 0, 0, 0, 0, 0)
    instructions = [struct.unpack("<HBBI", instruction) for instruction in program]
    place, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = instructions[place]
        place += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            return value
        else:
            holds = {0x15: accumulator == value, 0x25: accumulator > value, 0x35: accumulator >= value}
            taken = accumulator & value != 0 if code == 0x45 else holds[code]
            place += if_true if taken else if_false


def both(name: str, number: int, first_argument: int = 0) -> int:
    """For a candidate, which is under both filters: the kernel takes the strictest answer."""
    machine = _MACHINES[name]
    answers = {outcome(part(machine), AUDIT[name], number, first_argument) for part in (_zygote, _candidate)}
    return next(answer for answer in (KILL, UNKNOWN, REFUSED, ALLOW) if answer in answers)


def header_numbers(name: str) -> dict[str, int]:
    if not HEADERS[name].is_file():
        pytest.skip("the kernel's headers are not installed")
    found = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", HEADERS[name].read_text(), re.MULTILINE)
    return {symbol: int(number) for symbol, number in found}


@machines
def test_numbers_are_those_of_the_kernels_headers(name):
    numbers, column = header_numbers(name), _MACHINES[name].column
    known = (
        _ZYGOTE_DENIES
        | _CANDIDATE_DENIES
        | _OF_ITSELF_ONLY
        | NEEDED
        | {"clone": seccomp._CLONE, "clone3": seccomp._CLONE3}
    )
    ours = {symbol: pair[column] for symbol, pair in known.items() if pair[column] is not None}
    assert ours == {symbol: numbers.get(symbol) for symbol in ours}
    assert {symbol for symbol, pair in known.items() if pair[column] is None} & numbers.keys() == set()


@machines
def test_what_programs_need_is_allowed(name):
    column = _MACHINES[name].column
    assert {symbol for symbol, pair in NEEDED.items() if both(name, pair[column]) != ALLOW} == set()


@machines
def test_all_that_is_named_is_refused_to_candidates(name):
    column = _MACHINES[name].column
    denied = {symbol: pair[column] for symbol, pair in (_ZYGOTE_DENIES | _CANDIDATE_DENIES).items()}
    assert {s for s, number in denied.items() if number is not None and both(name, number) != REFUSED} == set()


@machines
def test_what_concerns_a_process_concerns_its_own_only(name):
    pairs = (pair[_MACHINES[name].column] for pair in _OF_ITSELF_ONLY.values())
    numbers = [number for number in pairs if number is not None]
    assert {both(name, number) for number in numbers} == {ALLOW}
    assert {both(name, number, process) for number in numbers for process in (1, 2, 1 << 31)} == {REFUSED}


@machines
def test_threads_are_allowed_and_processes_are_not(name):
    clone, clone3 = (pair[_MACHINES[name].column] for pair in (seccomp._CLONE, seccomp._CLONE3))
    assert both(name, clone, CLONE_THREAD) == ALLOW
    assert both(name, clone, SIGCHLD) == REFUSED
    assert both(name, clone3) == UNKNOWN


@machines
def test_other_tables_of_system_calls_and_newer_ones_are_closed(name):
    other = "aarch64" if name == "x86_64" else "x86_64"
    for foreign in (AUDIT[other], 0x40000003, 0x40000028):  # the 32-bit tables of both
        assert outcome(_zygote(_MACHINES[name]), foreign, 63) == KILL
    assert both(name, 463) == UNKNOWN
    if name == "x86_64":
        assert both(name, 0x40000000 | 1) == KILL
