"""Ctrl-C and SIGTERM: the first one asks the run to end, the second one ends it at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STATUS = 130
SHOW_CURSOR = "\x1b[?25h"


class Interrupts:
    """What the user's signals do to a run, by the stage that the run is in.

    While ``asking`` something, the first signal calls it; elsewhere it raises KeyboardInterrupt. The second signal ends
    the process: what is in the journal is safe, and the jails die with it.
    """

    def __init__(self) -> None:
        self.advice = "nothing was recorded yet"
        """How to go on; printed where the second signal ends the process."""
        self.asked = False
        """Whether there was a first signal."""
        self._ask: Callable[[], None] | None = None

    @contextmanager
    def watched(self) -> Iterator[Interrupts]:
        """Signals reach the main thread alone; in any other one they are left as they are."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def asking(self, stop: Callable[[], None]) -> Iterator[None]:
        self._ask = stop
        if self.asked:
            stop()
        try:
            yield
        finally:
            self._ask = None

    @contextmanager
    def relayed(self) -> Iterator[None]:
        """Signals of the main thread ask a run in another one to end; further ones change nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._relay) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _relay(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if self._ask is not None:
            self._ask()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), SHOW_CURSOR.encode())
            os.write(2, f"ended at once; {self.advice}\n".encode())
            os._exit(STATUS)
        self.asked = True
        if self._ask is None:
            raise KeyboardInterrupt
        self._ask()
