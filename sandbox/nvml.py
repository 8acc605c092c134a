"""Memory in use on a GPU, asked of its driver from outside the candidate (NVML, libnvidia-ml)."""

from __future__ import annotations

import ctypes
import functools

_LIBRARY = "libnvidia-ml.so.1"


class _Memory(ctypes.Structure):
    """nvmlMemory_t."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class Gpu:
    """One GPU by its number, which NVML counts in the order of the bus as the nodes are. Raises: OSError."""

    def __init__(self, index: int, library: str = _LIBRARY) -> None:
        self._library = ctypes.CDLL(library)
        self._handle = ctypes.c_void_p()
        self._call("nvmlInit_v2")
        self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(self._handle))

    def used_bytes(self) -> int:
        """By all processes together. Raises: OSError."""
        memory = _Memory()
        self._call("nvmlDeviceGetMemoryInfo", self._handle, ctypes.byref(memory))
        return memory.used

    def _call(self, name: str, *arguments: object) -> None:
        status = getattr(self._library, name)(*arguments)
        if status != 0:
            raise OSError(f"{name} failed with status {status}")


@functools.lru_cache(maxsize=16)
def gpu(index: int) -> Gpu | None:
    """None where the library is missing or does not answer; then only torch's own limit holds inside the jail."""
    try:
        return Gpu(index)
    except (OSError, AttributeError):
        return None
