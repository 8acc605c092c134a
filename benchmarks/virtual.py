"""An event loop whose clock jumps: what only waits takes no time."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class _SkippedTime(selectors.DefaultSelector):
    """Nothing is waited for: the clock of the loop jumps to the next timer."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now += timeout or 0.0
        return super().select(0 if timeout else timeout)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipped = _SkippedTime()
        super().__init__(self._skipped)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._skipped.now
