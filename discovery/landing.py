"""Landing: a program is evaluated, and what follows from that enters the archive."""

from __future__ import annotations

from ..agents.opto import concise
from ..archive import Evaluated, Proposed, Remeasured, RunState, moved
from ..archive.events import Traced
from ..archive.island import AddStatus
from ..archive.state import Additions
from ..evaluators import State
from .behaviours import known_behaviours
from .events import added_events, repeated_event
from .executor import Executor
from .flight import Landed
from .jobs import Evaluate, TimeTogether, TraceElite
from .recorder import Recorder

MAX_INFRA = 3
"""Tries per program before the run gives up on this machine's sandbox."""


class RunFailed(Exception):
    """The run cannot go on; everything so far is in the journal."""


class Landing:
    """``lines``: evaluations in flight; ``traces``: whether a proposer reads what new elites do."""

    def __init__(self, executor: Executor, state: RunState, recorder: Recorder, *, lines: int, traces: bool) -> None:
        self._executor = executor
        self._state = state
        self._recorder = recorder
        self._lines = lines
        self._traces = traces

    async def evaluate(self, proposed: Proposed) -> Landed:
        """Raises: RunFailed where the sandbox keeps failing; NoJail where there is none."""
        known, said = known_behaviours(self._state, proposed.program, self._lines), ""
        for _ in range(MAX_INFRA):
            evaluation = await self._executor.do(Evaluate(proposed.files, proposed.program, known))
            if evaluation.state is not State.INFRA:
                return Landed(proposed, evaluation)
            self._recorder.record(Evaluated(index=proposed.index, evaluation=evaluation))
            said = evaluation.feedback
        raise RunFailed(
            f"the sandbox failed {MAX_INFRA} times in a row on program {proposed.program[:12]} "
            f"({said}); see 'speciate doctor'"
        )

    async def add(self, landed: Landed) -> None:
        """Record an evaluation with all that follows from it, or that the program does what another one did."""
        evaluation = landed.evaluation
        if evaluation.gated and evaluation.state is State.VALID:
            self._recorder.record(repeated_event(landed.proposed, self._state.behaviours[evaluation.behaviour]))
            return
        index = landed.proposed.index
        evaluated = Evaluated(index=index, evaluation=evaluation)
        remeasured = await self._remeasure(landed)
        if remeasured is not None:
            kept = {"descriptors": evaluation.descriptors}
            evaluated = Evaluated(index=index, evaluation=remeasured.duel.challenger.model_copy(update=kept))
            self._state.apply(remeasured)
        before = () if remeasured is None else (remeasured,)
        answers = self._state.apply(evaluated)
        moves = [moved(index, move) for move in self._state.archipelago.due()]
        traced = await self._traced(landed.proposed, answers)
        for event in (*moves, *traced):
            self._state.apply(event)
        # In one transaction: a run killed here is resumed before the evaluation or after all that follows from it.
        self._recorder.record_folded(*before, evaluated, *added_events(index, answers), *moves, *traced)

    async def _remeasure(self, landed: Landed) -> Remeasured | None:
        """Time a program again, together with the elite that it would displace without being clearly better."""
        proposed, first = landed.proposed, landed.evaluation
        elite = self._state.rival(proposed.island, proposed.program, first)
        if elite is None:
            return None
        rival = self._state.program(elite)
        duel = await self._executor.do(TimeTogether(proposed.files, rival.files, f"{proposed.program}:{elite}"))
        return None if duel is None else Remeasured(index=proposed.index, first=first, elite=elite, duel=duel)

    async def _traced(self, proposed: Proposed, answers: Additions) -> list[Traced]:
        """The trace of a new elite, which may become a parent, where the proposer reads traces."""
        if not self._traces or all(answer.status is AddStatus.REJECTED for _, answer in answers):
            return []
        trace = await self._executor.do(TraceElite(proposed.files, self._state.evaluation_of(proposed.program)))
        if trace is None:
            return []
        return [Traced(program=proposed.program, trace=concise(trace, proposed.files, self._state.clocked))]
