"""Landlock (Linux 5.13 and newer): a process gives up all files but those under named places, without any privilege.

The calls and structures are those of the kernel's include/uapi/linux/landlock.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable

from .system import libc, raising

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1
_RULESET, _RULE = struct.Struct("<Q"), struct.Struct("<Qi")
_WRITE_FILE, _READ_FILE, _READ_FOLDER, _TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
_RIGHTS_OF = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
"""All rights that a version knows; 5 adds the last one."""
_RIGHTS_SINCE_5 = (1 << 16) - 1
_ON_FILES = 1 | _WRITE_FILE | _READ_FILE | _TRUNCATE | 1 << 15
"""Rights that a rule for something other than a folder may hold."""


def version() -> int:
    """0 where the kernel has no Landlock or forbids its use."""
    return max(0, libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION))


def ruleset(readable: Iterable[str], writable: Iterable[str]) -> int | None:
    """A descriptor for ``restrict``: files beneath these places only; None where there is no Landlock.

    Raises: OSError.
    """
    known = version()
    if known == 0:
        return None
    handled = _RIGHTS_OF.get(known, _RIGHTS_SINCE_5)
    attributes = _RULESET.pack(handled)
    rules = raising(libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0), "Landlock")
    for path in readable:
        _allow(rules, path, _READ_FILE | _READ_FOLDER)
    for path in writable:
        _allow(rules, path, handled)
    return rules


def restrict(rules: int) -> None:
    """This process and all that it starts, for good; it must have no_new_privs. Raises: OSError."""
    raising(libc.syscall(_RESTRICT_SELF, rules, 0), "Landlock")


def _allow(rules: int, path: str, rights: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            allowed = rights if os.path.isdir(path) else rights & _ON_FILES  # noqa: PTH112 - no pathlib in the jail
            raising(libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, _RULE.pack(allowed, place), 0), f"Landlock {path}")
        finally:
            os.close(place)
