"""Memory in use on a GPU, asked of its driver from outside the candidate (NVML, libnvidia-ml)."""

from __future__ import annotations

import ctypes
import functools

_LIBRARY = "libnvidia-ml.so.1"


class _Memory(ctypes.Structure):
    """nvmlMemory_t."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class Gpu:
    """The GPU of the node /dev/nvidiaN: NVML itself counts only those that it can open. Raises: OSError."""

    def __init__(self, node: int, library: str = _LIBRARY) -> None:
        self._library = ctypes.CDLL(library)
        self._handle = ctypes.c_void_p()
        self._call("nvmlInit_v2")
        count, minor = ctypes.c_uint(), ctypes.c_uint()
        self._call("nvmlDeviceGetCount_v2", ctypes.byref(count))
        for number in range(count.value):
            self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(number), ctypes.byref(self._handle))
            self._call("nvmlDeviceGetMinorNumber", self._handle, ctypes.byref(minor))
            if minor.value == node:
                return
        raise OSError(f"no GPU with the node {node}")

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
def gpu(node: int) -> Gpu | None:
    """None where the library is missing or does not answer; then only torch's own limit holds inside the jail."""
    try:
        return Gpu(node)
    except (OSError, AttributeError):
        return None
