"""The C library, for the calls that Python's standard library lacks."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

libc = ctypes.CDLL(None, use_errno=True)


def raising(result: int, what: str) -> int:
    """``result``, unless it says that the call failed. Raises: OSError naming ``what``."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


class Call(NamedTuple):
    """A system call with its arguments as the C library takes them."""

    what: str
    function: Callable[..., int]
    arguments: tuple[Any, ...]


def make(calls: Iterable[Call]) -> None:
    """Raises: OSError naming the first that failed."""
    for what, function, arguments in calls:
        raising(function(*arguments), what)
