"""Landing: a program is evaluated, and what follows from that enters the archive."""

from __future__ import annotations

from ..archive import Evaluated, Proposed, RunState, moved
from ..evaluators import State
from .events import added_events, repeated_event
from .executor import Executor
from .flight import Landed
from .gate import known_to
from .jobs import Evaluate
from .recorder import Recorder
from .scrutiny import refuted, rematch
from .tracing import Tracing

MAX_INFRA = 3
"""Tries per program before the run gives up on this machine's sandbox."""


class RunFailed(Exception):
    """The run cannot go on; everything so far is in the journal."""


class Landing:
    """``lines``: evaluations in flight; ``tracing``: given where a proposer reads what new elites do."""

    def __init__(
        self, executor: Executor, state: RunState, recorder: Recorder, *, lines: int, tracing: Tracing | None
    ) -> None:
        self._executor = executor
        self._state = state
        self._recorder = recorder
        self._lines = lines
        self._tracing = tracing

    async def evaluate(self, proposed: Proposed) -> Landed:
        """Raises: RunFailed where the sandbox keeps failing; NoJail where there is none."""
        known, said = known_to(self._state, proposed.program, self._lines), ""
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
        remeasured = await rematch(self._state, self._executor, landed)
        if remeasured is not None:
            kept = {"descriptors": evaluation.descriptors, "missed": evaluation.missed}
            evaluated = Evaluated(index=index, evaluation=remeasured.duel.challenger.model_copy(update=kept))
            self._state.apply(remeasured)
        before = () if remeasured is None else (remeasured,)
        answers = self._state.apply(evaluated)
        counterexample = await refuted(self._state, self._executor, landed, evaluated.evaluation)
        moves = [moved(index, move) for move in self._state.archipelago.due()]
        traced = await self._tracing.of_elite(landed.proposed, answers) if self._tracing else []
        for event in (*counterexample, *moves, *traced):
            self._state.apply(event)
        # In one transaction: a run killed here is resumed before the evaluation or after all that follows from it.
        added = added_events(index, answers)
        self._recorder.record_folded(*before, evaluated, *added, *counterexample, *moves, *traced)
