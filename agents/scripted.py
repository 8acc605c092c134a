"""Proposals written down beforehand: for tests, benchmarks and replays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ..archive import Program
from .proposer import Brief, NoProposal, Operator, Proposal


class ScriptedProposer:
    """The i-th call gives the i-th program, ``start`` calls having been made before (a resumed run).

    ``sources`` is a sequence, or a function of the index for an endless supply. Each answer takes ``latency_seconds``.
    """

    def __init__(
        self,
        sources: Sequence[str] | Callable[[int], str],
        *,
        start: int = 0,
        latency_seconds: float = 0.0,
        name: str = "scripted",
    ) -> None:
        self.name = name
        self._sources = sources
        self._next = start
        self._latency_seconds = latency_seconds

    async def propose(self, brief: Brief) -> Proposal:
        """Raises: NoProposal after the last program."""
        index = self._next
        self._next += 1
        if self._latency_seconds:
            await asyncio.sleep(self._latency_seconds)
        return Proposal(
            program=Program.of(self._source(index)),
            parents=(brief.parent.program.id,),
            operator=Operator.REWRITE,
            proposer=self.name,
            detail="script",
        )

    def _source(self, index: int) -> str:
        if callable(self._sources):
            return self._sources(index)
        if index >= len(self._sources):
            raise NoProposal(f"the script ends after {len(self._sources)} programs")
        return self._sources[index]
