"""RunState: what a run knows, as a fold over its events."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import KeysView
from dataclasses import dataclass, field

from ..evaluators import Evaluation, State
from ..evaluators.calibration import Calibration
from .archipelago import Archipelago
from .events import (
    Calibrated,
    Certified,
    Dropped,
    Evaluated,
    Event,
    Migrated,
    Proposed,
    Resumed,
    RunStarted,
    Stopped,
)
from .island import AddResult, AddStatus
from .journal import Journal, JournalError
from .ledger import DROPPED_COST, Ledger, proposal_cost
from .program import Program
from .shelf import Shelf

SEED = "seed"
"""Operator of the baseline, which every island starts from."""

SIMPLIFY = "simplify"
"""Operator of what is left of a program when all that does not matter is gone; the search did not evaluate it."""

RECORD, ADVANCE = 1.0, 0.2
"""Rewards of proposals: for the best program of its island, and for another elite better than its parent."""

Additions = list[tuple[int, AddResult]]
"""What the islands answered: (island, answer)."""


@dataclass(slots=True)
class Spent:
    """What the proposals cost."""

    tokens: int = 0
    usd: float = 0.0
    cpu_seconds: float = 0.0

    def charge(self, event: Proposed | Dropped) -> None:
        self.tokens += event.tokens
        self.usd += event.usd or 0.0
        self.cpu_seconds += event.cpu_seconds


def certifies(evaluation: Evaluation) -> bool:
    """Whether an evaluation on fresh instances shows a program better than the baseline: its whole interval above 0."""
    return evaluation.state is State.VALID and evaluation.interval is not None and evaluation.interval.low > 0


@dataclass
class RunState:
    """Changes only by ``apply``; the live run and a replay share it, so that they cannot differ."""

    started: RunStarted | None = None
    calibration: Calibration | None = None
    proposals: dict[str, Proposed] = field(default_factory=dict)
    """By program id, in the order in which they were made."""
    pending: dict[int, Proposed] = field(default_factory=dict)
    """Proposed and neither evaluated nor dropped, by index; a proposal whose evaluation was INFRA stays."""
    certificates: dict[str, Evaluation] = field(default_factory=dict)
    counts: Counter[State] = field(default_factory=Counter)
    """Evaluations per state, those of INFRA included."""
    spent: Spent = field(default_factory=Spent)
    ledger: Ledger = field(default_factory=Ledger)
    """What the proposers achieved, per island."""
    next_index: int = 0
    evaluations: int = 0
    """How many programs the search has evaluated; INFRA and simplified programs do not count."""
    stopped: str | None = None
    """Why the run ended, None while it goes on."""
    _archipelago: Archipelago | None = None
    _evaluations: Shelf = field(default_factory=Shelf)
    _scores: dict[str, float] = field(default_factory=dict)
    """Of the programs that compare: VALID ones with a finite score, in the order of evaluation."""
    _children: dict[str, list[str]] = field(default_factory=dict)
    _best: str | None = None
    _best_size: int | None = field(default=None, compare=False)

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
            case Migrated():
                evaluation = self.evaluation_of(event.program)
                answer = self.archipelago.migrate(event.program, evaluation, event.source, event.target)
                return [(event.target, answer)]
            case Certified():
                self.evaluation_of(event.program)
                self.certificates[event.program] = event.evaluation
            case RunStarted():
                self.started = event
                self._archipelago = Archipelago.of(event.archive)
            case Calibrated():
                self.calibration = event.calibration
            case Stopped():
                self.stopped = event.reason
            case Resumed():
                self.stopped = None
        return []

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
        self.spent.charge(event)

    def _evaluated(self, event: Evaluated) -> Additions:
        proposed = self.pending.get(event.index)
        if proposed is None:
            raise JournalError(f"the journal is out of order: nothing was proposed for the evaluation {event.index}")
        evaluation = event.evaluation
        self.counts[evaluation.state] += 1
        if evaluation.state is State.INFRA:
            return []
        del self.pending[event.index]
        self._evaluations.put(proposed.program, evaluation)
        self._compare(proposed.program, evaluation)
        archipelago = self.archipelago
        targets = range(len(archipelago.islands)) if proposed.operator == SEED else (proposed.island,)
        leader = archipelago.islands[proposed.island].best()
        added = [(island, archipelago.add(island, proposed.program, evaluation)) for island in targets]
        if proposed.operator != SIMPLIFY:
            self.evaluations += 1
            archipelago.count()
            self._credit(proposed, leader, added)
        return added

    def _credit(self, proposed: Proposed, leader: str | None, added: Additions) -> None:
        """Enter a proposal's reward; ``leader`` was the best program of its island before."""
        if leader is None or not proposed.parents:
            return
        reward = 0.0
        if added[0][1].status is not AddStatus.REJECTED:
            score, parent = self._scores[proposed.program], self._scores.get(proposed.parents[0], -math.inf)
            reward = RECORD if score > self._scores[leader] else ADVANCE if score > parent else 0.0
        cost = 1.0 + proposal_cost(proposed.tokens, proposed.usd)
        self.ledger.enter(proposed.island, proposed.proposer, proposed.detail, reward, cost)

    def _compare(self, program: str, evaluation: Evaluation) -> None:
        score = evaluation.score
        if evaluation.state is not State.VALID or score is None or not math.isfinite(score):
            return
        self._scores[program] = score
        if self._best is None or score > self._scores[self._best]:
            self._best, self._best_size = program, None
        elif score == self._scores[self._best]:
            self._prefer_smaller(program)

    def _prefer_smaller(self, program: str) -> None:
        assert self._best is not None
        if self._best_size is None:
            self._best_size = self.program(self._best).size
        size = self.program(program).size
        if size < self._best_size:
            self._best, self._best_size = program, size

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
        """The VALID program with the highest score; of equals the smaller one, then the earlier."""
        return None if self._best is None else (self._best, self._evaluations[self._best])

    @property
    def certified_best(self) -> tuple[str, Evaluation] | None:
        """The program with the highest score on its certificate, among those that hold, and its evaluation."""
        scores = {
            program: certificate.score
            for program, certificate in self.certificates.items()
            if certificate.score is not None and certifies(certificate)
        }
        if not scores:
            return None
        program = max(scores, key=scores.__getitem__)
        return program, self._evaluations[program]

    def ranking(self, count: int) -> list[str]:
        """The ``count`` best programs, best first; ``best`` leads, other equals stand in the order of evaluation."""
        return heapq.nlargest(count, self._scores, key=lambda program: (self._scores[program], program == self._best))

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
