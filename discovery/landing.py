"""Landing: a program is evaluated, and what follows from that enters the archive."""

from __future__ import annotations

from typing import TypeVar

from ..archive import AddStatus, Evaluated, Proposed, Remeasured, RunState, Traced, moved
from ..evaluators import Evaluation, State
from .events import added_events, given_up_event, repeated_event
from .executor import Executor
from .flight import Landed
from .gate import known_to
from .jobs import Evaluate, Job
from .recorder import Recorder
from .scrutiny import refuted, rematch
from .tracing import Tracing

T = TypeVar("T")

MAX_INFRA = 3
"""Tries per program. Where nothing else was evaluated meanwhile, the run gives up on the machines, else on it."""


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
        self._sound = 0
        """Evaluations that no machine failed."""

    async def evaluate(self, proposed: Proposed) -> Landed:
        """Raises: RunFailed where the sandbox keeps failing; NoJail where there is none."""
        known, sound = known_to(self._state, proposed.program, self._lines), self._sound
        job = Evaluate(proposed.files, proposed.program, known)
        evaluation = await self._executor.do(job)
        for _ in range(MAX_INFRA - 1):
            if evaluation.state is not State.INFRA:
                break
            self._recorder.post(Evaluated(index=proposed.index, evaluation=evaluation))
            evaluation = await self._executor.do(job)
        if evaluation.state is not State.INFRA:
            self._sound += 1
        elif self._sound == sound:
            self._recorder.post(Evaluated(index=proposed.index, evaluation=evaluation))
            raise RunFailed(
                f"the sandbox failed {MAX_INFRA} times in a row on program {proposed.program[:12]} "
                f"({evaluation.feedback}); see 'speciate doctor'"
            )
        return Landed(proposed, evaluation)

    async def add(self, landed: Landed) -> None:
        """Record an evaluation with all that follows from it, or why the program was not evaluated."""
        proposed, evaluation = landed.proposed, landed.evaluation
        if evaluation.state is State.INFRA:
            lost = Evaluated(index=proposed.index, evaluation=evaluation)
            self._recorder.record(lost, given_up_event(proposed, evaluation.feedback))
        elif evaluation.gated and evaluation.state is State.VALID:
            self._recorder.record(repeated_event(proposed, self._state.behaviours[evaluation.behaviour]))
        else:
            await self._add(landed)

    async def _add(self, landed: Landed) -> None:
        """First what takes time, while others may write; then the turn, in one transaction: a run killed here is
        resumed before the evaluation or after all that follows from it.
        """
        proposed, evaluation = landed.proposed, landed.evaluation
        evaluated = Evaluated(index=proposed.index, evaluation=evaluation)
        remeasured = await rematch(self._state, self._measured, landed)
        if remeasured is not None:
            kept = {"descriptors": evaluation.descriptors, "missed": evaluation.missed}
            challenger = remeasured.duel.challenger.model_copy(update=kept)
            evaluated = Evaluated(index=proposed.index, evaluation=challenger)
        counterexample = await refuted(self._state, self._measured, landed, evaluated.evaluation)
        traced = await self._traced(proposed, evaluated.evaluation, remeasured)
        self._recorder.begin()
        if remeasured is not None:
            self._recorder.fold(remeasured)
        answers = self._recorder.fold(evaluated)
        self._recorder.told(*added_events(proposed.index, answers))
        for event in counterexample:
            self._recorder.fold(event)
        for move in self._state.archipelago.due():
            self._recorder.fold(moved(proposed.index, move))
        if any(answer.status is not AddStatus.REJECTED for _, answer in answers):
            for event in traced:
                self._recorder.fold(event)

    async def _measured(self, job: Job[T]) -> T:
        self._recorder.commit()
        return await self._executor.do(job)

    async def _traced(self, proposed: Proposed, evaluation: Evaluation, remeasured: Remeasured | None) -> list[Traced]:
        """The trace of what will enter an island; after a duel that is not known yet."""
        if self._tracing is None:
            return []
        answers = self._state.foreseen(proposed, evaluation)
        if remeasured is None and all(answer.status is AddStatus.REJECTED for _, answer in answers):
            return []
        self._recorder.commit()
        return await self._tracing.of_elite(proposed, evaluation)
