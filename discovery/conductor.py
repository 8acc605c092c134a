"""The loop: steady state, no generations, one writer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..agents import Brief, Cost, NoProposal, Proposal, Proposer, TaskCard
from ..agents.opto import concise
from ..agents.proposer import Reads
from ..archive import Added, Dropped, Evaluated, Event, Journal, Program, Proposed, Remeasured, RunState, moved
from ..archive.events import Traced
from ..archive.island import AddStatus
from ..archive.state import SEED, Additions
from ..evaluators import Evaluation, State
from .briefing import Briefing
from .budget import Budget
from .config import RunConfig
from .executor import Executor
from .rules import Rules

MAX_BARREN = 300
"""This many proposals in a row that led to no evaluation mean that the proposer has nothing new to say."""

MAX_INFRA = 3
"""Tries per program before the run gives up on this machine's sandbox."""


class Observer(Protocol):
    """Told of every event after it is in the journal."""

    def notify(self, event: Event, state: RunState, budget: Budget) -> None: ...


class RunFailed(Exception):
    """The run cannot go on; everything so far is in the journal."""


@dataclass(frozen=True, slots=True)
class Landed:
    proposed: Proposed
    evaluation: Evaluation


class Conductor:
    """Keeps ``config.lines`` proposals on their way through propose -> evaluate -> add; the only writer of the journal.

    State changes only by folding events, so that a replay of the journal gives the same state. Evaluations end in any
    order but are added in that of their proposals, and proposal ``i`` draws from ``(seed, i)`` and sees what was added
    before ``i - lines``: with a deterministic proposer and judge a run repeats exactly, whatever the number of workers.
    """

    def __init__(
        self,
        config: RunConfig,
        card: TaskCard,
        rules: Rules,
        state: RunState,
        journal: Journal,
        proposer: Proposer,
        executor: Executor,
        budget: Budget,
        observers: tuple[Observer, ...] = (),
    ) -> None:
        self._config = config
        self._rules = rules
        self._state = state
        self._journal = journal
        self._proposer = proposer
        self._executor = executor
        self._budget = budget
        self._observers = observers
        self._briefing = Briefing(card, config.selection, proposer)
        self._traces = isinstance(proposer, Reads) and proposer.reads
        self._next_index = state.next_index
        self._leftovers = list(state.pending.values())
        self._proposed = {proposal.program for proposal in self._leftovers}
        self._barren = 0
        self._stop_reason: str | None = None

    def stop(self, reason: str) -> None:
        """Ask the run to end when what is in flight has ended."""
        self._stop_reason = self._stop_reason or reason

    async def run(self) -> str:
        """Run until a limit is reached or ``stop`` is called; returns the reason.

        Raises: RunFailed where the sandbox keeps failing; NoJail where there is none.
        """
        await self._seed()
        flying: deque[asyncio.Task[Landed | None]] = deque()
        try:
            while True:
                while len(flying) < self._config.lines and not self._finished():
                    flying.append(asyncio.create_task(self._launch()))
                    # A proposer that does not wait has proposed when this returns: the journal keeps one order.
                    await asyncio.sleep(0)
                if not flying:
                    return self._stop_reason or self._budget.exhausted() or "done"
                landed = await flying.popleft()
                if landed is None:
                    self._budget.release_evaluation()
                else:
                    await self._add(landed)
        finally:
            for flight in flying:
                flight.cancel()
            await asyncio.gather(*flying, return_exceptions=True)

    async def _seed(self) -> None:
        """Evaluate the baseline before anything is varied: the islands start from it."""
        for proposed in [event for event in self._leftovers if event.operator == SEED]:
            self._leftovers.remove(proposed)
            self._budget.reserve_evaluation()
            landed = await self._evaluate(proposed)
            await self._add(landed)
            evaluation = landed.evaluation
            if evaluation.state is not State.VALID:
                raise RunFailed(f"the task's baseline is {evaluation.state} on this machine: {evaluation.feedback}")

    def _finished(self) -> bool:
        if self._barren >= MAX_BARREN:
            self.stop("exhausted")
        # Not for good: a proposal in flight that comes to nothing gives its evaluation back.
        return self._stop_reason is not None or self._budget.exhausted() is not None

    def _launch(self) -> Coroutine[None, None, Landed | None]:
        """One proposal on its way. What it is shown is fixed now, whatever lands before it is made."""
        self._budget.reserve_evaluation()
        if self._leftovers:
            return self._evaluate(self._leftovers.pop(0))
        index = self._next_index
        self._next_index += 1
        island = index % len(self._state.archipelago.islands)
        rng = np.random.default_rng((self._config.seed, index))
        return self._fly(index, island, self._briefing.brief(self._state, island, rng))

    async def _fly(self, index: int, island: int, brief: Brief) -> Landed | None:
        proposed = await self._propose(index, island, brief)
        return None if proposed is None else await self._evaluate(proposed)

    async def _propose(self, index: int, island: int, brief: Brief) -> Proposed | None:
        try:
            async with asyncio.timeout(self._budget.seconds_left()):
                proposal = await self._proposer.propose(brief)
        except NoProposal as nothing:
            return self._drop(index, island, str(nothing) or "no proposal")
        except TimeoutError:
            return self._drop(index, island, "time is up")
        return self._accept(index, island, proposal)

    def _accept(self, index: int, island: int, proposal: Proposal) -> Proposed | None:
        self._budget.charge(proposal.cost.tokens, proposal.cost.usd)
        program = proposal.program
        if program.id in self._proposed or self._state.seen(program.id):
            return self._drop(index, island, "duplicate", proposal)
        violations = self._rules.violations(program.files)
        if violations:
            return self._drop(index, island, violations[0], proposal)
        self._barren = 0
        self._proposed.add(program.id)
        event = proposed_event(index, island, proposal)
        self._record(event)
        return event

    def _drop(self, index: int, island: int, reason: str, proposal: Proposal | None = None) -> None:
        self._barren += 1
        cost = proposal.cost if proposal else Cost()
        self._record(
            Dropped(
                index=index,
                island=island,
                reason=reason,
                proposer=proposal.proposer if proposal else "",
                detail=proposal.detail if proposal else "",
                tokens=cost.tokens,
                usd=cost.usd,
                cpu_seconds=cost.cpu_seconds,
            )
        )

    async def _evaluate(self, proposed: Proposed) -> Landed:
        said = ""
        for _ in range(MAX_INFRA):
            evaluation = await self._executor.evaluate(proposed.files, proposed.program)
            if evaluation.state is not State.INFRA:
                return Landed(proposed, evaluation)
            self._record(Evaluated(index=proposed.index, evaluation=evaluation))
            said = evaluation.feedback
        raise RunFailed(
            f"the sandbox failed {MAX_INFRA} times in a row on program {proposed.program[:12]} "
            f"({said}); see 'speciate doctor'"
        )

    async def _remeasure(self, landed: Landed) -> Remeasured | None:
        """Time a program again, together with the elite that it would displace without being clearly better."""
        proposed, first = landed.proposed, landed.evaluation
        elite = self._state.rival(proposed.island, proposed.program, first)
        if elite is None:
            return None
        rival = self._state.program(elite)
        duel = await self._executor.duel(proposed.files, rival.files, f"{proposed.program}:{elite}")
        return None if duel is None else Remeasured(index=proposed.index, first=first, elite=elite, duel=duel)

    async def _add(self, landed: Landed) -> None:
        index = landed.proposed.index
        self._proposed.discard(landed.proposed.program)
        evaluated = Evaluated(index=index, evaluation=landed.evaluation)
        remeasured = await self._remeasure(landed)
        if remeasured is not None:
            kept = {"descriptors": landed.evaluation.descriptors}
            evaluated = Evaluated(index=index, evaluation=remeasured.duel.challenger.model_copy(update=kept))
            self._state.apply(remeasured)
        before = () if remeasured is None else (remeasured,)
        added = added_events(index, self._state.apply(evaluated))
        moves = [moved(index, move) for move in self._state.archipelago.due()]
        for move in moves:
            self._state.apply(move)
        # In one transaction: a run killed here is resumed before the evaluation or after all that follows from it.
        self._journal.append(*before, evaluated, *added, *moves)
        for event in (*before, evaluated, *added, *moves):
            self._tell(event)
        if self._traces and any(answer.status is not AddStatus.REJECTED for answer in added):
            await self._trace(landed.proposed)

    async def _trace(self, proposed: Proposed) -> None:
        """Of a new elite, which may become a parent."""
        trace = await self._executor.trace(proposed.files, self._state.evaluation_of(proposed.program))
        if trace is not None:
            self._record(Traced(program=proposed.program, trace=concise(trace, proposed.files)))

    def _record(self, event: Event) -> None:
        self._journal.append(event)
        self._state.apply(event)
        self._tell(event)

    def _tell(self, event: Event) -> None:
        for observer in self._observers:
            observer.notify(event, self._state, self._budget)


def added_events(index: int, answers: Additions) -> list[Added]:
    """What the islands answered to evaluation ``index``, for the journal."""
    return [
        Added(
            index=index,
            island=island,
            status=result.status,
            improvement=result.improvement,
            reason=result.reason,
            displaced=result.displaced,
        )
        for island, result in answers
    ]


def proposed_event(index: int, island: int, proposal: Proposal) -> Proposed:
    return Proposed(
        index=index,
        island=island,
        files=dict(proposal.program.files),
        program=proposal.program.id,
        parents=proposal.parents,
        operator=proposal.operator.value,
        proposer=proposal.proposer,
        detail=proposal.detail,
        rationale=proposal.rationale,
        model=proposal.model,
        prompt_hash=proposal.prompt_hash,
        tokens=proposal.cost.tokens,
        usd=proposal.cost.usd,
        cpu_seconds=proposal.cost.cpu_seconds,
    )


def seed_event(baseline: str) -> Proposed:
    """The baseline, from which every island starts."""
    program = Program.of(baseline)
    return Proposed(
        index=0,
        island=0,
        files=dict(program.files),
        program=program.id,
        parents=(),
        operator=SEED,
        proposer="baseline",
        detail="",
        rationale="",
        model=None,
        prompt_hash=None,
        tokens=0,
        usd=None,
        cpu_seconds=0.0,
    )
