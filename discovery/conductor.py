"""The loop: steady state, no generations, one writer."""

from __future__ import annotations

import asyncio
from collections import deque

from ..agents import FIRST, Brief, Cost, Desk, NoProposal, Proposal, Proposer, ProposerFailed, Starts, TaskCard, Waits
from ..agents.proposer import Reads
from ..archive import Journal, Launched, Program, Proposed, RunState
from ..archive.events import conductor_of
from ..archive.state import SEED
from ..evaluators import State
from .briefing import Briefing
from .budget import Budget
from .config import RunConfig
from .events import dropped_event, proposed_event
from .executor import Executor
from .flight import AsTheyEnd, Flight, InOrder, Landed
from .jobs import Smoke
from .landing import Landing, RunFailed
from .recorder import Observer, Recorder
from .reopening import Reopened
from .rules import Rules
from .tracing import Tracing

MAX_BARREN = 300
"""This many proposals in a row that led to no evaluation mean that the proposer has nothing new to say."""


class Conductor:
    """Keeps proposals on their way through propose -> evaluate -> add; the only writer of the journal in its process.

    State changes only by folding events, so that a replay of the journal gives the same state. Two queues, each emptied
    in the order in which it was filled: proposals under way (one, or as many as a proposer that waits wants) and up to
    ``config.lines`` evaluations. A brief is fixed when its proposal is launched, and ``_step`` looks at the lengths of
    the queues only: with a deterministic proposer and judge a run repeats exactly, whatever answers and evaluations
    take. That ends where evaluations are taken as they end (``config.ordered``), and where other conductors take part:
    ``number`` says which one of them this is, and it proposes for its own islands.
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
        number: int = 0,
    ) -> None:
        self._config = config
        self._rules = rules
        self._state = state
        self._journal = journal
        self._proposer = proposer
        self._executor = executor
        self._budget = budget
        self._reopened = reopened or Reopened()
        self._number = number
        self._recorder = Recorder(journal, state, budget, observers)
        reads = isinstance(proposer, Reads) and proposer.reads
        self._tracing = Tracing(executor, state, self._recorder.record_now, self._reopened.traces)
        tracing = self._tracing if reads else None
        self._landing = Landing(executor, state, self._recorder, lines=config.lines, tracing=tracing)
        self._briefing = Briefing(card, config.selection, proposer)
        self._waits = proposer if isinstance(proposer, Waits) else None
        self._starts = proposer.starts if isinstance(proposer, Starts) else 0
        self._allowance = self._waits.allowance if self._waits else Cost()
        self._next_index = state.next_index(number)
        self._again = deque(sorted(self._reopened.briefs.items()))
        self._ready = deque(one for one in state.pending.values() if conductor_of(one.index) == number)
        self._proposed = {proposal.program for proposal in self._ready}
        self._proposing: deque[Flight] = deque()
        self._evaluating = InOrder() if config.ordered else AsTheyEnd()
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
            record=self._recorder.record_now,
            violations=self._rules.violations,
            smoke=lambda program, counterexamples: self._executor.do(Smoke(program.files, tuple(counterexamples))),
            trace=self._tracing.of_failure,
            replies=self._reopened.replies,
            replayed=self._reopened.replayed,
        )

    async def _clear(self) -> None:
        """Leave nothing running; what is paid for is waited for, so that it is in the journal."""
        tasks = [*(flight.made for flight in self._proposing), *self._evaluating.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._waits is not None:
            await self._waits.close()
        self._recorder.close()

    async def _seed(self) -> None:
        """Evaluate the baseline before anything is varied: the islands start from it."""
        for proposed in [event for event in self._ready if event.operator == SEED]:
            self._ready.remove(proposed)
            self._budget.reserve_evaluation()
            landed = await self._landing.evaluate(proposed)
            await self._land(landed)
            self._recorder.commit()
            evaluation = landed.evaluation
            if evaluation.state is not State.VALID:
                raise RunFailed(f"the task's baseline is {evaluation.state} on this machine: {evaluation.feedback}")

    async def _step(self) -> bool:
        """One event of the loop; False where nothing is left to do."""
        if self._recorder.tired:
            self._recorder.commit()
            await asyncio.sleep(0)
        if not self._config.ordered and self._evaluating.ready:
            await self._land(await self._evaluating.next())
            return True
        if len(self._evaluating.tasks) < self._config.lines:
            if self._ready:
                self._evaluating.add(asyncio.create_task(self._landing.evaluate(self._ready.popleft())))
                return True
            self._fill()
            if self._proposing and not self._short():
                await self._accept()
                return True
        if self._evaluating.tasks:
            if not self._evaluating.ready:
                self._recorder.commit()
            await self._land(await self._evaluating.next())
            return True
        return False

    def _short(self) -> bool:
        """Whether the budget allows fewer proposals than could fly, and what lands first may give back some of it.

        Else the last evaluations of a run would wait, one by one, for a proposal each.
        """
        return len(self._proposing) < self._most_flights() and len(self._evaluating.tasks) >= len(self._proposing)

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
        if self._waits is not None:
            self._recorder.begin()
        index = self._next_index
        self._next_index += 1
        islands = self._state.islands_of(self._number)
        island = islands[index % len(islands)]
        brief = self._briefing.brief(self._state, index, island, self._config.seed)
        if self._waits is not None:
            self._recorder.record(Launched(index=index, island=island))
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
        """The oldest proposal comes to its end, if no evaluation goes before: it is dropped, or goes to evaluation."""
        flight = self._proposing[0]
        if not flight.made.done():
            self._recorder.commit()
            if await self._evaluating.before(flight.made):
                return
        self._recorder.begin()
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
            self._recorder.record(dropped_event(flight.index, flight.island, reason or "no proposal", made))
            return
        events = [proposed_event(flight.index, flight.island, made), *self._further(flight, made)]
        self._proposed.update(event.program for event in events)
        self._ready.extend(events)
        self._recorder.record(*events)

    def _further(self, flight: Flight, made: Proposal) -> list[Proposed]:
        """The other programs that an answer holds, as long as the budget lasts, each for the next island."""
        events: list[Proposed] = []
        known = {made.program.id}
        islands = self._state.islands_of(self._number)
        for place, one in enumerate(made.further, 1):
            if one.program.id in known or self._objection(one) is not None or self._budget.exhausted() is not None:
                continue
            known.add(one.program.id)
            self._budget.reserve_evaluation()
            island = islands[(islands.index(flight.island) + place) % len(islands)]
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
        if self._budget.overdrawn:
            return "other conductors have used up the budget"
        program: Program = made.program
        if program.id in self._proposed or self._state.seen(program.id):
            return "duplicate"
        return next(iter(self._rules.violations(program.files)), None)

    def _withdraw(self) -> None:
        """Give up the proposals under way; the journal knows that they were launched, so that they can be resumed."""
        self._withdrawn = True
        for flight in self._proposing:
            flight.made.cancel()

    async def _land(self, landed: Landed) -> None:
        """What ended at the gate, or was lost, gives its evaluation back to the budget."""
        evaluation = landed.evaluation
        self._proposed.discard(landed.proposed.program)
        lost = evaluation.gated or evaluation.state is State.INFRA
        self._barren = self._barren + 1 if lost else 0
        if lost:
            self._budget.release_evaluation()
        await self._landing.add(landed)
