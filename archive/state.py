"""RunState: how the events of a run make up what is known of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..evaluators import Evaluation, State
from ..evaluators.duel import pooled
from .archipelago import Archipelago, Move
from .events import (
    Calibrated,
    Certified,
    Dropped,
    Evaluated,
    Event,
    IslandAdded,
    IslandReset,
    Joined,
    Launched,
    Migrated,
    Proposed,
    Refuted,
    Remeasured,
    Replied,
    Resumed,
    RunStarted,
    Stopped,
    Traced,
    conductor_of,
)
from .island import AddResult, AddStatus
from .journal import Journal, JournalError
from .knowledge import Knowledge
from .ledger import DROPPED_COST, proposal_cost, reward_of
from .ranking import worth

SEED = "seed"
"""Operator of the baseline, which every island starts from."""

GIVEN = "given"
"""Operator of a program that the user gave the run to begin with, beside the baseline."""

SIMPLIFY = "simplify"
"""Operator of what is left of a program when all that does not matter is gone; the search did not evaluate it."""

Additions = list[tuple[int, AddResult]]
"""What the islands answered: (island, answer)."""


@dataclass
class RunState(Knowledge):
    """A fold: changes only by ``apply``, which the live run and a replay share, so that they cannot differ."""

    _remeasurements: dict[int, Remeasured] = field(default_factory=dict)
    """Of pending proposals, by index."""

    def apply(self, event: Event) -> Additions:
        """Fold one event. Returns what the islands answered to an evaluation or a migration.

        Raises: JournalError for an event that cannot follow those before it.
        """
        try:
            return self._fold(event)
        except LookupError as error:
            raise JournalError(f"the journal is out of order: {event.kind} names an unknown {error}") from error

    def _fold(self, event: Event) -> Additions:
        match event:
            case Evaluated():
                return self._evaluated(event)
            case Proposed():
                self._proposed(event)
            case Dropped():
                self._dropped(event)
            case Launched():
                self._count(event.index)
                self.launched[event.index] = event
            case Replied():
                self.spent.reply(event)
            case Migrated() | IslandReset() | IslandAdded():
                evaluation = self.evaluation_of(event.program)
                self.archipelago.carry_out(Move(event.kind, event.program, event.source, event.target))
                if isinstance(event, IslandAdded):
                    self.owners.append(conductor_of(event.index))
                return [(event.target, self._offer(event.target, event.program, evaluation))]
            case Remeasured():
                self._remeasured(event)
            case Certified():
                self.evaluation_of(event.program)
                self.certificates[event.program] = event.evaluation
            case Refuted():
                self._refuted(event)
            case Traced():
                self.traces[event.program] = event.trace
            case RunStarted() | Calibrated() | Joined() | Stopped() | Resumed():
                return self._attended(event)
        return []

    def _attended(self, event: RunStarted | Calibrated | Joined | Stopped | Resumed) -> Additions:
        match event:
            case RunStarted():
                self.started = event
                self._archipelago = Archipelago.of(event.archive, event.seed)
                self.owners = [0] * event.archive.islands
                self.ended[0] = None
            case Calibrated():
                self.calibration = event.calibration
            case Joined():
                return self._joined(event)
            case Stopped():
                self._ends(event.conductor, event.reason)
            case Resumed():
                self._ends(event.conductor, None)
                self._grant(event.budget)
        return []

    def _grant(self, budget: dict[str, Any] | None) -> None:
        if budget is not None and self.started is not None:
            self.started = self.started.model_copy(update={"config": self.started.config | {"budget": budget}})

    def _joined(self, event: Joined) -> Additions:
        evaluation = self.evaluation_of(event.program)
        self.joined[event.conductor] = event
        self._ends(event.conductor, None)
        self.owners += [event.conductor] * event.islands
        return [(one, self._offer(one, event.program, evaluation)) for one in self.archipelago.extend(event.islands)]

    def _ends(self, conductor: int, reason: str | None) -> None:
        self.ended[conductor] = reason
        self.stopped = reason if not self.at_work() else None

    def _count(self, index: int) -> None:
        conductor = conductor_of(index)
        self.next_indices[conductor] = max(self.next_index(conductor), index + 1)

    def _refuted(self, event: Refuted) -> None:
        self.evaluation_of(event.program)
        self.refutations[event.program] = event.evaluation
        if event.evaluation is not None and event.gates:
            self.counterexamples.setdefault(event.evaluation.instances[-1].name, event.program)

    def _met(self, program: str, evaluation: Evaluation) -> None:
        """What an evaluation says of the counterexamples."""
        last = (evaluation.instances[-1].name,) if evaluation.gated and evaluation.instances else ()
        for name in (*last, *evaluation.missed):
            if name in self.counterexamples:
                self.stopped_by[program] = name
        if evaluation.state is State.VALID:
            for name in evaluation.missed:
                self.withdrawn.setdefault(name, program)

    def _proposed(self, event: Proposed) -> None:
        self._advance(event)
        self.pending[event.index] = event
        if event.program in self.proposals:
            return
        self.places[event.program] = len(self.proposals)
        self.proposals[event.program] = event
        for parent in event.parents:
            self._children.setdefault(parent, []).append(event.program)

    def _dropped(self, event: Dropped) -> None:
        self._advance(event)
        self.pending.pop(event.index, None)
        if event.proposer:
            cost = DROPPED_COST + proposal_cost(event.tokens, event.usd)
            self.ledger.enter(event.island, event.proposer, event.detail, 0.0, cost)

    def _advance(self, event: Proposed | Dropped) -> None:
        self._count(event.index)
        self.launched.pop(event.index, None)
        self.spent.settle(event)

    def _evaluated(self, event: Evaluated) -> Additions:
        proposed = self.pending.get(event.index)
        if proposed is None:
            raise JournalError(f"the journal is out of order: nothing was proposed for the evaluation {event.index}")
        evaluation = event.evaluation
        self.counts[evaluation.state] += 1
        if evaluation.state is State.INFRA:
            return []
        del self.pending[event.index]
        program = proposed.program
        self._met(program, evaluation)
        if evaluation.behaviour:
            self.behaviours.setdefault(evaluation.behaviour, program)
        leader = self.archipelago.islands[proposed.island].best()
        self._rank(program, evaluation)
        if evaluation.state is State.QUARANTINED:
            self.quarantined.append(program)
        duel = self._remeasurements.pop(event.index, None)
        beaten = duel.elite if duel is not None and duel.duel.won else None
        added = [(island, self._offer(island, program, evaluation, beaten)) for island in self._targets(proposed)]
        if proposed.operator != SIMPLIFY:
            if not evaluation.gated:
                self.evaluations += 1
                self.archipelago.count()
            self._credit(proposed, leader, added[0][1], DROPPED_COST if evaluation.gated else 1.0)
        return added

    def _targets(self, proposed: Proposed) -> Sequence[int]:
        return range(len(self.archipelago.islands)) if proposed.operator == SEED else (proposed.island,)

    def foreseen(self, proposed: Proposed, evaluation: Evaluation) -> Additions:
        """What the islands would answer to an evaluation now."""
        islands = self.archipelago.islands
        return [(island, islands[island].answer(evaluation)) for island in self._targets(proposed)]

    def _credit(self, proposed: Proposed, leader: str | None, answer: AddResult, evaluated: float) -> None:
        """Enter a proposal's reward; ``leader`` was the best program of its island before.

        ``evaluated`` is the cost of finding out, in evaluations.
        """
        if leader is None or not proposed.parents:
            return
        reward = 0.0
        if answer.status is not AddStatus.REJECTED:
            scores = map(self._score, (proposed.program, leader, proposed.parents[0]))
            reward = reward_of(*scores)
        cost = evaluated + proposal_cost(proposed.tokens, proposed.usd)
        self.ledger.enter(proposed.island, proposed.proposer, proposed.detail, reward, cost)

    def _score(self, program: str) -> float:
        evaluation = self.evaluation_or_none(program)
        return -math.inf if evaluation is None or evaluation.score is None else evaluation.score

    def _rank(self, program: str, evaluation: Evaluation) -> None:
        self._evaluations.put(program, evaluation)
        value = worth(evaluation, self.clocked)
        self._ranking.put(program, value, lambda name: self.program(name).size)
        if value is not None:
            self.instance_front.add(program, evaluation)

    def _remeasured(self, event: Remeasured) -> None:
        """The elite has more measurements now; it stays in its cell."""
        _ = self.pending[event.index]
        if self.calibration is None:
            raise JournalError("the journal is out of order: a program was timed before the scale was")
        before = self.evaluation_of(event.elite)
        after = pooled(before, event.duel.elite, self.calibration.reference_gain)
        after = after.model_copy(update={"descriptors": before.descriptors})
        self._rank(event.elite, after)
        self.archipelago.rescore(event.elite, after)
        self._remeasurements[event.index] = event

    def _offer(self, island: int, program: str, evaluation: Evaluation, beaten: str | None = None) -> AddResult:
        rival = self.rival(island, program, evaluation)
        if rival is not None and rival != beaten:
            reason = f"not shown to be better than the elite {rival[:12]} of its cell"
            return AddResult(AddStatus.REJECTED, reason=reason)
        return self.archipelago.add(island, program, evaluation)


def replay(journal: Journal) -> RunState:
    """The state after all events of a journal. Raises: JournalError."""
    state = RunState()
    for _, _, event in journal.events():
        state.apply(event)
    return state
