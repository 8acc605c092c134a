"""Proposals on their way through the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

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
        return self.tasks[0].done()

    async def next(self) -> Landed:
        return await self.tasks.popleft()


class AsTheyEnd:
    """Evaluations on their way, which land in the order in which they end."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[Landed]] = set()
        self._ended: asyncio.Queue[asyncio.Task[Landed]] = asyncio.Queue()

    def add(self, task: asyncio.Task[Landed]) -> None:
        self.tasks.add(task)
        task.add_done_callback(self._ended.put_nowait)

    @property
    def ready(self) -> bool:
        return not self._ended.empty()

    async def next(self) -> Landed:
        task = await self._ended.get()
        self.tasks.remove(task)
        return task.result()


@dataclass(frozen=True, slots=True)
class Flight:
    """A proposal on its way."""

    index: int
    island: int
    made: asyncio.Task[Proposal | NoProposal]
