"""Turns: of the proposals that could go on one does, in the order in which they came.

An event loop shares the processor among all of them, step by step: of 64 replies that arrive together none is dealt
with before all are, and the next requests leave together again. Dealt with one after the other they drift apart, and
the endpoint has something to do all the time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Turn:
    """A proposal's right to go on, which it gives away while it waits for something outside."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._held = False

    async def take(self) -> None:
        await self._lock.acquire()
        self._held = True

    def give(self) -> None:
        if self._held:
            self._held = False
            self._lock.release()

    @contextlib.asynccontextmanager
    async def given(self) -> AsyncIterator[None]:
        """Others go on meanwhile. What an error ends needs no further turn, and is not made to wait for one."""
        self.give()
        yield
        await self.take()


class Turns:
    """Of all proposals of one proposer."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[Turn]:
        turn = Turn(self._lock)
        await turn.take()
        try:
            yield turn
        finally:
            turn.give()
