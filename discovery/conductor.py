"""The loop: steady state, no generations, one writer."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from ..agents import FIRST, Brief, Cost, Desk, NoProposal, Proposal, Proposer, ProposerFailed, Starts, TaskCard, Waits
from ..agents.proposer import Reads
from ..archive import Evaluated, Event, Journal, Launched, Program, Proposed, RunState, moved
from ..archive.state import SEED
from ..evaluators import State
from .briefing import Briefing
from .budget import Budget
from .config import RunConfig
from .events import added_events, dropped_event, proposed_event, repeated_event
from .executor import Executor
from .flight import Flight, Landed
from .gate import known_to
from .reopening import Reopened
from .rules import Rules
from .scrutiny import refuted, rematch
from .tracing import Tracing

MAX_BARREN = 300
"""This many proposals in a row that led to no evaluation mean that the proposer has nothing new to say."""

MAX_INFRA = 3
"""Tries per program before the run gives up on this machine's sandbox."""


class Observer(Protocol):
    """Told of every event after it is in the journal."""

    def notify(self, event: Event, state: RunState, budget: Budget) -> None: ...


class RunFailed(Exception):
    """The run cannot go on; everything so far is in the journal."""


class Conductor:
    """Keeps proposals on their way through propose -> evaluate -> add; the only writer of the journal.

    State changes only by folding events, so that a replay of the journal gives the same state. Two queues, each emptied
    in the order in which it was filled: proposals under way (one, or as many as a proposer that waits wants) and up to
    ``config.lines`` evaluations. A brief is fixed when its proposal is launched, and ``_step`` looks at the lengths of
    the queues only: with a deterministic proposer and judge a run repeats exactly, whatever answers and evaluations
    take.
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
        reopened: Reopened | None = None,
    ) -> None:
        self._config = config
        self._rules = rules
        self._state = state
        self._journal = journal
        self._proposer = proposer
        self._executor = executor
        self._budget = budget
        self._observers = observers
        self._reopened = reopened or Reopened()
        self._briefing = Briefing(card, config.selection, proposer)
        self._reads = isinstance(proposer, Reads) and proposer.reads
        self._tracing = Tracing(executor, state, self.record, self._reopened.traces)
        self._waits = proposer if isinstance(proposer, Waits) else None
        self._starts = proposer.starts if isinstance(proposer, Starts) else 0
        self._allowance = self._waits.allowance if self._waits else Cost()
        self._next_index = state.next_index
        self._again = deque(sorted(self._reopened.briefs.items()))
        self._ready = deque(state.pending.values())
        self._proposed = {proposal.program for proposal in self._ready}
        self._proposing: deque[Flight] = deque()
        self._evaluating: deque[asyncio.Task[Landed]] = deque()
        self._barren = 0
        self._stop_reason: str | None = None
        self._failure: ProposerFailed | None = None
        self._withdrawn = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self, reason: str) -> None:
        """Ask the run to end when what is in flight has ended; answers that may take long are not waited for."""
        self._stop_reason = self._stop_reason or reason
        if self._loop is not None and self._waits is not None:
            self._loop.call_soon_threadsafe(self._withdraw)

    async def run(self) -> str:
        """Run until a limit is reached or ``stop`` is called; returns the reason.

        Raises: RunFailed where the sandbox or an endpoint keeps failing; NoJail where there is none.
        """
        self._loop = asyncio.get_running_loop()
        if self._waits is not None:
            self._waits.open(self._desk())
        try:
            await self._seed()
            for _ in self._ready:
                self._budget.reserve_evaluation()
            # After a failure what is in flight stays so: a run that goes on finds the queues as they were.
            while self._failure is None and await self._step():
                pass
        finally:
            await self._clear()
        if self._failure is not None:
            raise RunFailed(f"{self._failure}; nothing is lost: go on with 'speciate resume {self._journal.directory}'")
        return self._stop_reason or self._budget.exhausted(self._allowance) or "done"

    def _desk(self) -> Desk:
        return Desk(
            directory=self._journal.directory,
            record=self.record,
            violations=self._rules.violations,
            smoke=lambda program, counterexamples: self._executor.smoke(program.files, counterexamples),
            trace=self._tracing.of_failure,
            replies=self._reopened.replies,
            replayed=self._reopened.replayed,
        )

    async def _clear(self) -> None:
        """Leave nothing running; what is paid for is waited for, so that it is in the journal."""
        tasks = [*(flight.made for flight in self._proposing), *self._evaluating]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._waits is not None:
            await self._waits.close()

    async def _seed(self) -> None:
        """Evaluate the baseline before anything is varied: the islands start from it."""
        for proposed in [event for event in self._ready if event.operator == SEED]:
            self._ready.remove(proposed)
            self._budget.reserve_evaluation()
            landed = await self._evaluate(proposed)
            await self._land(landed)
            evaluation = landed.evaluation
            if evaluation.state is not State.VALID:
                raise RunFailed(f"the task's baseline is {evaluation.state} on this machine: {evaluation.feedback}")

    async def _step(self) -> bool:
        """One event of the loop; False where nothing is left to do."""
        if len(self._evaluating) < self._config.lines:
            if self._ready:
                self._evaluating.append(asyncio.create_task(self._evaluate(self._ready.popleft())))
                return True
            self._fill()
            if self._proposing:
                await self._accept()
                return True
        if self._evaluating:
            await self._land(await self._evaluating.popleft())
            return True
        return False

    def _fill(self) -> None:
        """Launch proposals. What each is shown is fixed now, whatever lands before it is made."""
        while len(self._proposing) < self._most_flights() and not self._finished():
            self._budget.reserve_evaluation()
            self._budget.hold(self._allowance)
            index, island, brief = self._next()
            self._proposing.append(Flight(index, island, asyncio.create_task(self._propose(brief))))

    def _most_flights(self) -> int:
        """Programs to begin with come first: what else is asked meanwhile could not build on them."""
        begins = self._starts > 0 and bool(self._proposing) and self._proposing[0].index == FIRST
        return 1 if begins or self._waits is None else self._waits.concurrency

    def _next(self) -> tuple[int, int, Brief]:
        """Index, island and brief: of a proposal that an earlier sitting had launched, else of a new one."""
        if self._again:
            index, (island, brief) = self._again.popleft()
            return index, island, brief
        index = self._next_index
        self._next_index += 1
        island = index % len(self._state.archipelago.islands)
        brief = self._briefing.brief(self._state, index, island, self._config.seed)
        if self._waits is not None:
            self.record(Launched(index=index, island=island))
        return index, island, brief

    def _finished(self) -> bool:
        if self._barren >= MAX_BARREN:
            self.stop("exhausted")
        # Not for good: a proposal in flight that comes to nothing gives its evaluation back.
        return self._stop_reason is not None or self._budget.exhausted(self._allowance) is not None

    async def _propose(self, brief: Brief) -> Proposal | NoProposal:
        try:
            async with asyncio.timeout(self._budget.seconds_left()):
                return await self._proposer.propose(brief)
        except NoProposal as nothing:
            return nothing
        except TimeoutError:
            return NoProposal("time is up")

    async def _accept(self) -> None:
        """The oldest proposal comes to its end: it is dropped, or goes to evaluation."""
        flight = self._proposing[0]
        await asyncio.wait([flight.made])
        made = self._made(flight)
        self._proposing.popleft()
        if made is None:
            self._budget.settle(self._allowance, Cost())
            self._budget.release_evaluation()
            return
        self._budget.settle(self._allowance, made.cost)
        reason = self._objection(made)
        if isinstance(made, NoProposal) or reason is not None:
            self._barren += 1
            self._budget.release_evaluation()
            self.record(dropped_event(flight.index, flight.island, reason or "no proposal", made))
            return
        events = [proposed_event(flight.index, flight.island, made), *self._further(flight, made)]
        self._proposed.update(event.program for event in events)
        self._ready.extend(events)
        self.record(*events)

    def _further(self, flight: Flight, made: Proposal) -> list[Proposed]:
        """The other programs that an answer holds, as long as the budget lasts, each for the next island."""
        events: list[Proposed] = []
        known = {made.program.id}
        for place, one in enumerate(made.further, 1):
            if one.program.id in known or self._objection(one) is not None or self._budget.exhausted() is not None:
                continue
            known.add(one.program.id)
            self._budget.reserve_evaluation()
            island = (flight.island + place) % len(self._state.archipelago.islands)
            events.append(proposed_event(self._next_index, island, one))
            self._next_index += 1
        return events

    def _made(self, flight: Flight) -> Proposal | NoProposal | None:
        """None where proposals are given up: then also one that is ready, lest it overtake those before it."""
        if self._withdrawn or flight.made.cancelled():
            return None
        try:
            return flight.made.result()
        except ProposerFailed as failure:
            self._failure = failure
            self._stop_reason = self._stop_reason or "failed"
            self._withdraw()
            return None

    def _objection(self, made: Proposal | NoProposal) -> str | None:
        """Why there is nothing to evaluate, or None."""
        if isinstance(made, NoProposal):
            return str(made) or "no proposal"
        program: Program = made.program
        if program.id in self._proposed or self._state.seen(program.id):
            return "duplicate"
        return next(iter(self._rules.violations(program.files)), None)

    def _withdraw(self) -> None:
        """Give up the proposals under way; the journal knows that they were launched, so that they can be resumed."""
        self._withdrawn = True
        for flight in self._proposing:
            flight.made.cancel()

    async def _evaluate(self, proposed: Proposed) -> Landed:
        known, said = known_to(self._state, proposed.program, self._config.lines), ""
        for _ in range(MAX_INFRA):
            evaluation = await self._executor.evaluate(proposed.files, proposed.program, known)
            if evaluation.state is not State.INFRA:
                return Landed(proposed, evaluation)
            self.record(Evaluated(index=proposed.index, evaluation=evaluation))
            said = evaluation.feedback
        raise RunFailed(
            f"the sandbox failed {MAX_INFRA} times in a row on program {proposed.program[:12]} "
            f"({said}); see 'speciate doctor'"
        )

    async def _land(self, landed: Landed) -> None:
        """What ended at the gate gives its evaluation back to the budget."""
        evaluation = landed.evaluation
        self._proposed.discard(landed.proposed.program)
        self._barren = self._barren + 1 if evaluation.gated else 0
        if evaluation.gated:
            self._budget.release_evaluation()
        if evaluation.gated and evaluation.state is State.VALID:
            self.record(repeated_event(landed.proposed, self._state.behaviours[evaluation.behaviour]))
        else:
            await self._add(landed)

    async def _add(self, landed: Landed) -> None:
        index = landed.proposed.index
        evaluated = Evaluated(index=index, evaluation=landed.evaluation)
        remeasured = await rematch(self._state, self._executor, landed)
        if remeasured is not None:
            kept = {"descriptors": landed.evaluation.descriptors, "missed": landed.evaluation.missed}
            evaluated = Evaluated(index=index, evaluation=remeasured.duel.challenger.model_copy(update=kept))
            self._state.apply(remeasured)
        before = () if remeasured is None else (remeasured,)
        answers = self._state.apply(evaluated)
        counterexample = await refuted(self._state, self._executor, landed, evaluated.evaluation)
        moves = [moved(index, move) for move in self._state.archipelago.due()]
        traced = await self._tracing.of_elite(landed.proposed, answers) if self._reads else []
        for event in (*counterexample, *moves, *traced):
            self._state.apply(event)
        # In one transaction: a run killed here is resumed before the evaluation or after all that follows from it.
        told = (*before, evaluated, *added_events(index, answers), *counterexample, *moves, *traced)
        self._journal.append(*told)
        for event in told:
            self._tell(event)

    def record(self, *events: Event) -> None:
        """Write events, in one transaction, and fold them."""
        self._journal.append(*events)
        for event in events:
            self._state.apply(event)
            self._tell(event)

    def _tell(self, event: Event) -> None:
        for observer in self._observers:
            observer.notify(event, self._state, self._budget)
