"""The C library, for the calls that Python's standard library lacks."""

from __future__ import annotations

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def raising(result: int, what: str) -> int:
    """``result``, unless it says that the call failed. Raises: OSError naming ``what``."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result
