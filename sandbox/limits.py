"""What one candidate process may use."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one candidate process: seconds and bytes. CPU counts all threads, from fork to exit.

    With a device, ``wall_seconds`` is for each step (loading, and every call), since the first ones compile.
    """

    cpu_seconds: float = 10.0
    wall_seconds: float = 30.0
    memory_bytes: int = 1024 * MIB
    output_bytes: int = 64 * MIB
    tmp_bytes: int = 64 * MIB
    threads: int = 32
    open_files: int = 64
    device_bytes: int = 8192 * MIB
    """Memory of the device, where there is one."""
