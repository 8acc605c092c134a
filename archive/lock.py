"""The right to be a conductor of a run, on this machine."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from .failure import JournalError, explained
from .places import lock_name


class Lock:
    """One process at a time for each conductor; the kernel takes it back when the process dies, however it dies."""

    def __init__(self, directory: Path, conductor: int = 0) -> None:
        path = directory / lock_name(conductor)
        with explained(directory):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise JournalError(
                f"{directory} is in use by process {holder}: wait for it or stop it (kill {holder})"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._descriptor)
