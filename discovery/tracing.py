"""Traces of a run's programs: smoke instances only, each in the journal before anyone is shown it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..agents.opto import concise
from ..archive import Event, Program, Proposed, RunState
from ..archive.events import Traced
from ..evaluators import Evaluation, State, Trace
from .executor import Executor
from .jobs import TakeTrace

TELLING = (State.CRASHED, State.INVALID, State.TIMEOUT)
"""Failures of which a trace says more than the state does: of the others nothing is recorded."""


@dataclass
class Tracing:
    """``known`` are traces of the run that is replayed: where a program was ended for time is not the same again."""

    executor: Executor
    state: RunState
    record: Callable[[Event], None]
    known: Mapping[str, Trace]
    _locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def of_elite(self, proposed: Proposed, evaluation: Evaluation) -> list[Traced]:
        """The trace of a program that enters an island, to be recorded with what follows from its evaluation."""
        trace = await self.executor.do(TakeTrace(proposed.files, evaluation))
        if trace is None:
            return []
        return [Traced(program=proposed.program, trace=concise(trace, proposed.files, self.state.clocked))]

    async def of_failure(self, program: Program, failed: Evaluation) -> Trace | None:
        """The trace on the smoke instance on which ``program`` failed, taken and recorded when it is first asked for.

        None where it failed on none, or on one that says nothing more, and where the machine fails.
        """
        if failed.size != "smoke" or failed.state not in TELLING:
            return None
        async with self._locks[program.id]:
            if program.id in self.state.traces:
                return self.state.traces[program.id]
            trace = self.known.get(program.id) or await self.executor.do(TakeTrace(program.files, failed))
            if trace is not None:
                trace = concise(trace, program.files, timed=False)
                self.record(Traced(program=program.id, trace=trace))
            return trace
