"""Proposals on their way through the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from ..agents import NoProposal, Proposal
from ..archive import Proposed
from ..evaluators import Evaluation


@dataclass(frozen=True, slots=True)
class Landed:
    proposed: Proposed
    evaluation: Evaluation


class InOrder:
    """Evaluations on their way, which land in the order in which they began."""

    def __init__(self) -> None:
        self.tasks: deque[asyncio.Task[Landed]] = deque()

    def add(self, task: asyncio.Task[Landed]) -> None:
        self.tasks.append(task)

    @property
    def ready(self) -> bool:
        """Whether the next one need not be waited for."""
        return bool(self.tasks) and self.tasks[0].done()

    async def next(self) -> Landed:
        return await self.tasks.popleft()

    async def before(self, made: asyncio.Task[Any]) -> bool:
        """Wait for a proposal, or else for an evaluation that goes before it: in this order none does."""
        await asyncio.wait([made])
        return False


class AsTheyEnd:
    """Evaluations on their way, which land in the order in which they end."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[Landed]] = set()
        self._ended: asyncio.Queue[asyncio.Task[Landed]] = asyncio.Queue()
        self._waited: asyncio.Future[None] | None = None

    def add(self, task: asyncio.Task[Landed]) -> None:
        self.tasks.add(task)
        task.add_done_callback(self._end)

    @property
    def ready(self) -> bool:
        return not self._ended.empty()

    async def next(self) -> Landed:
        task = await self._ended.get()
        self.tasks.remove(task)
        return task.result()

    async def before(self, made: asyncio.Task[Any]) -> bool:
        while not made.done() and not self.ready:
            self._waited = asyncio.get_running_loop().create_future()
            made.add_done_callback(self._wake)
            await self._waited
            made.remove_done_callback(self._wake)
        return self.ready

    def _end(self, task: asyncio.Task[Landed]) -> None:
        self._ended.put_nowait(task)
        self._wake(task)

    def _wake(self, task: asyncio.Task[Any]) -> None:
        if self._waited is not None and not self._waited.done():
            self._waited.set_result(None)


@dataclass(frozen=True, slots=True)
class Flight:
    """A proposal on its way."""

    index: int
    island: int
    made: asyncio.Task[Proposal | NoProposal]
