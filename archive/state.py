"""RunState: what a run knows, as a fold over its events."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import KeysView
from dataclasses import dataclass, field

from ..evaluators import Evaluation, State, Trace
from ..evaluators.calibration import Calibration
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
)
from .fronts import InstanceFront
from .island import AddResult, AddStatus
from .journal import Journal, JournalError
from .ledger import DROPPED_COST, Ledger, proposal_cost, reward_of
from .program import Program
from .ranking import Ranking, worth
from .shelf import Shelf
from .spent import Spent

SEED = "seed"
"""Operator of the baseline, which every island starts from."""

SIMPLIFY = "simplify"
"""Operator of what is left of a program when all that does not matter is gone; the search did not evaluate it."""

Additions = list[tuple[int, AddResult]]
"""What the islands answered: (island, answer)."""


def certifies(evaluation: Evaluation) -> bool:
    """Whether an evaluation on fresh instances shows a program better than the baseline: its whole interval above 0."""
    if evaluation.state is not State.VALID or evaluation.interval is None or evaluation.score is None:
        return False
    return 0 < evaluation.interval.low <= evaluation.score < math.inf


@dataclass
class RunState:
    """Changes only by ``apply``; the live run and a replay share it, so that they cannot differ."""

    started: RunStarted | None = None
    calibration: Calibration | None = None
    proposals: dict[str, Proposed] = field(default_factory=dict)
    """By program id, in the order in which they were made."""
    pending: dict[int, Proposed] = field(default_factory=dict)
    """Proposed and neither evaluated nor dropped, by index; a proposal whose evaluation was INFRA stays."""
    launched: dict[int, Launched] = field(default_factory=dict)
    """Briefed and neither proposed nor dropped, by index."""
    certificates: dict[str, Evaluation] = field(default_factory=dict)
    """In the order of the tries."""
    traces: dict[str, Trace] = field(default_factory=dict)
    """Of elites, and of failures that were to be repaired, where a proposer reads them; by program id."""
    refutations: dict[str, Evaluation | None] = field(default_factory=dict)
    """On its counterexample, of each program for which one was looked for; None where none was found."""
    counterexamples: dict[str, str] = field(default_factory=dict)
    """Names of further smoke instances that later programs must pass -> the first program that failed there."""
    withdrawn: dict[str, str] = field(default_factory=dict)
    """Of these, those that a program failed and was VALID -> that program."""
    stopped_by: dict[str, str] = field(default_factory=dict)
    """Programs that failed on a counterexample, whether that was their end or a probe of it -> its name."""
    quarantined: list[str] = field(default_factory=list)
    """Programs whose gain in the search was implausible, in the order of evaluation."""
    counts: Counter[State] = field(default_factory=Counter)
    """Evaluations per state, those of INFRA included."""
    spent: Spent = field(default_factory=Spent)
    ledger: Ledger = field(default_factory=Ledger)
    """What the proposers achieved, per island."""
    next_index: int = 0
    behaviours: dict[str, str] = field(default_factory=dict)
    """The first program of each behaviour on the smoke instances."""
    evaluations: int = 0
    """How many programs the search has evaluated; those that failed on the smoke instances, INFRA and simplified ones
    do not count."""
    stopped: str | None = None
    """Why the run ended, None while it goes on."""
    _archipelago: Archipelago | None = None
    _evaluations: Shelf = field(default_factory=Shelf)
    _ranking: Ranking = field(default_factory=Ranking)
    instance_front: InstanceFront = field(default_factory=InstanceFront)
    _children: dict[str, list[str]] = field(default_factory=dict)
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
                self.next_index = max(self.next_index, event.index + 1)
                self.launched[event.index] = event
            case Replied():
                self.spent.reply(event)
            case Migrated() | IslandReset() | IslandAdded():
                evaluation = self.evaluation_of(event.program)
                self.archipelago.carry_out(Move(event.kind, event.program, event.source, event.target))
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
            case RunStarted() | Calibrated():
                self._began(event)
            case Stopped() | Resumed():
                self.stopped = event.reason if isinstance(event, Stopped) else None
        return []

    def _began(self, event: RunStarted | Calibrated) -> None:
        if isinstance(event, Calibrated):
            self.calibration = event.calibration
        else:
            self.started = event
            self._archipelago = Archipelago.of(event.archive, event.seed)

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
        self.next_index = max(self.next_index, event.index + 1)
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
        targets = range(len(self.archipelago.islands)) if proposed.operator == SEED else (proposed.island,)
        added = [(island, self._offer(island, program, evaluation, beaten)) for island in targets]
        if proposed.operator != SIMPLIFY:
            if not evaluation.gated:
                self.evaluations += 1
                self.archipelago.count()
            self._credit(proposed, leader, added[0][1], DROPPED_COST if evaluation.gated else 1.0)
        return added

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

    def rival(self, island: int, program: str, evaluation: Evaluation) -> str | None:
        """The elite that a program of a clocked task would displace though their intervals overlap."""
        score, interval = evaluation.score, evaluation.interval
        if not self.clocked or evaluation.state is not State.VALID or score is None or interval is None:
            return None
        elite = self.archipelago.islands[island].occupant(evaluation)
        if elite is None or elite.program == program or not score > elite.score:
            return None
        theirs = self.evaluation_of(elite.program).interval
        return elite.program if theirs is not None and interval.low <= theirs.high else None

    @property
    def clocked(self) -> bool:
        """Whether the task's objective is clocked, so that scores are noisy."""
        return self.calibration is not None and self.calibration.clocked

    @property
    def archipelago(self) -> Archipelago:
        """Raises: JournalError before the run has started."""
        if self._archipelago is None:
            raise JournalError("the journal does not begin with the start of a run")
        return self._archipelago

    @property
    def baseline(self) -> str:
        """Id of the program that the run started from. Raises: JournalError before it was proposed."""
        first = next(iter(self.proposals.values()), None)
        if first is None:
            raise JournalError("the run was stopped before its baseline was evaluated")
        return first.program

    @property
    def valid(self) -> int:
        return self.counts[State.VALID]

    @property
    def best(self) -> tuple[str, Evaluation] | None:
        """The VALID program that is worth most (see ranking.py); of equals the smaller one, then the earlier."""
        leader = self._ranking.leader
        return None if leader is None else (leader, self._evaluations[leader])

    @property
    def latest_best(self) -> str:
        """Of the programs that are worth most the one evaluated last. Raises: ValueError where none compares."""
        return self._ranking.latest

    @property
    def certified_best(self) -> tuple[str, Evaluation] | None:
        """The first program whose certificate holds, and its evaluation.

        The first and not the best of several: the tries end there, and a choice by the certified score would make it
        too high.
        """
        program = next((name for name, certificate in self.certificates.items() if certifies(certificate)), None)
        return None if program is None else (program, self._evaluations[program])

    def gap(self, program: str) -> float | None:
        """By how much the score in the search exceeds the certified one; None where one is missing."""
        certificate = self.certificates.get(program)
        found = self._evaluations[program].score
        return None if certificate is None or certificate.score is None or found is None else found - certificate.score

    def ranking(self, count: int) -> list[str]:
        """The ``count`` programs that are worth most, best first."""
        return self._ranking.top(count)

    @property
    def programs(self) -> KeysView[str]:
        """Ids of all programs, in the order in which they were proposed."""
        return self.proposals.keys()

    def find(self, prefix: str) -> str:
        """The id that begins so. Raises: JournalError where none does, or several do."""
        matches = [name for name in self.programs if name.startswith(prefix)]
        if len(matches) == 1:
            return matches[0]
        if not matches:
            raise JournalError(f"no program '{prefix}' in this run; 'speciate show DIR' lists the elites")
        raise JournalError(f"'{prefix}' is the beginning of {len(matches)} programs; give more characters")

    def program(self, program: str) -> Program:
        """Raises: KeyError."""
        return Program.known(self.proposals[program].files, program)

    def seen(self, program: str) -> bool:
        """Whether the program was ever proposed."""
        return program in self.proposals

    def evaluation_of(self, program: str) -> Evaluation:
        """Raises: KeyError where it was not evaluated, or only with INFRA."""
        return self._evaluations[program]

    def evaluation_or_none(self, program: str) -> Evaluation | None:
        return self._evaluations.get(program)

    def lineage(self, program: str) -> list[str]:
        """The program, the one that it was made from, and so on to the baseline."""
        line = [program]
        while (parents := self.proposals[line[-1]].parents) and parents[0] in self.proposals and parents[0] not in line:
            line.append(parents[0])
        return line

    def children(self, program: str) -> list[str]:
        """Programs that were made from this one, alone or with others, in the order in which they were proposed."""
        return list(self._children.get(program, ()))


def replay(journal: Journal) -> RunState:
    """The state after all events of a journal. Raises: JournalError."""
    state = RunState()
    for _, _, event in journal.events():
        state.apply(event)
    return state
