"""Knowledge: what is known of a run, and what can be asked of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import KeysView
from dataclasses import dataclass, field

from ..evaluators import Evaluation, State, Trace
from ..evaluators.calibration import Calibration
from .archipelago import Archipelago
from .events import STRIDE, Joined, Launched, Proposed, RunStarted
from .fronts import InstanceFront
from .journal import JournalError
from .ledger import Ledger
from .program import Program
from .ranking import Ranking
from .shelf import Shelf
from .spent import Spent


def certifies(evaluation: Evaluation) -> bool:
    """Whether an evaluation on fresh instances shows a program better than the baseline: its whole interval above 0."""
    if evaluation.state is not State.VALID or evaluation.interval is None or evaluation.score is None:
        return False
    return 0 < evaluation.interval.low <= evaluation.score < math.inf


@dataclass
class Knowledge:
    """The facts of a run. Only events change them (see state.py)."""

    started: RunStarted | None = None
    calibration: Calibration | None = None
    proposals: dict[str, Proposed] = field(default_factory=dict)
    """By program id, in the order in which they were made."""
    places: dict[str, int] = field(default_factory=dict)
    """Of the programs in that order, from 0 on."""
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
    next_indices: dict[int, int] = field(default_factory=dict)
    """By conductor."""
    owners: list[int] = field(default_factory=list)
    """By island, the conductor that proposes for it."""
    joined: dict[int, Joined] = field(default_factory=dict)
    """By conductor; the first one did not join."""
    ended: dict[int, str | None] = field(default_factory=dict)
    """By conductor, why it ended; None while it goes on."""
    behaviours: dict[str, str] = field(default_factory=dict)
    """The first program of each behaviour on the smoke instances."""
    evaluations: int = 0
    """How many programs the search has evaluated; those that failed on the smoke instances, INFRA and simplified ones
    do not count."""
    stopped: str | None = None
    """Why the run ended, by the last one of its conductors; None while one goes on."""
    _archipelago: Archipelago | None = None
    _evaluations: Shelf = field(default_factory=Shelf)
    _ranking: Ranking = field(default_factory=Ranking)
    instance_front: InstanceFront = field(default_factory=InstanceFront)
    _children: dict[str, list[str]] = field(default_factory=dict)

    @property
    def archipelago(self) -> Archipelago:
        """Raises: JournalError before the run has started."""
        if self._archipelago is None:
            raise JournalError("the journal does not begin with the start of a run")
        return self._archipelago

    @property
    def programs(self) -> KeysView[str]:
        """Ids of all programs, in the order in which they were proposed."""
        return self.proposals.keys()

    def program(self, program: str) -> Program:
        """Raises: KeyError."""
        return Program.known(self.proposals[program].files, program)

    def seen(self, program: str) -> bool:
        """Whether the program was ever proposed."""
        return program in self.proposals

    def next_index(self, conductor: int = 0) -> int:
        """Number of the conductor's next proposal."""
        return self.next_indices.get(conductor, conductor * STRIDE + (conductor > 0))

    def islands_of(self, conductor: int) -> list[int]:
        """The islands that it proposes for."""
        return [island for island, owner in enumerate(self.owners) if owner == conductor]

    def at_work(self, but: int | None = None) -> list[int]:
        """Conductors that did not end, as far as the journal knows: one that was killed is among them."""
        return [one for one, reason in self.ended.items() if reason is None and one != but]

    def find(self, prefix: str) -> str:
        """The id that begins so. Raises: JournalError where none does, or several do."""
        matches = [name for name in self.programs if name.startswith(prefix)]
        if len(matches) == 1:
            return matches[0]
        if not matches:
            raise JournalError(f"no program '{prefix}' in this run; 'speciate show DIR' lists the elites")
        raise JournalError(f"'{prefix}' is the beginning of {len(matches)} programs; give more characters")

    @property
    def baseline(self) -> str:
        """Id of the program that the run started from. Raises: JournalError before it was proposed."""
        first = next(iter(self.proposals.values()), None)
        if first is None:
            raise JournalError("the run was stopped before its baseline was evaluated")
        return first.program

    def lineage(self, program: str) -> list[str]:
        """The program, the one that it was made from, and so on to the baseline."""
        line = [program]
        while (parents := self.proposals[line[-1]].parents) and parents[0] in self.proposals and parents[0] not in line:
            line.append(parents[0])
        return line

    def children(self, program: str) -> list[str]:
        """Programs that were made from this one, alone or with others, in the order in which they were proposed."""
        return list(self._children.get(program, ()))

    def evaluation_of(self, program: str) -> Evaluation:
        """Raises: KeyError where it was not evaluated, or only with INFRA."""
        return self._evaluations[program]

    def evaluation_or_none(self, program: str) -> Evaluation | None:
        return self._evaluations.get(program)

    @property
    def valid(self) -> int:
        return self.counts[State.VALID]

    @property
    def clocked(self) -> bool:
        """Whether the task's objective is clocked, so that scores are noisy."""
        return self.calibration is not None and self.calibration.clocked

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
    def best(self) -> tuple[str, Evaluation] | None:
        """The VALID program that is worth most (see ranking.py); of equals the smaller one, then the earlier."""
        leader = self._ranking.leader
        return None if leader is None else (leader, self._evaluations[leader])

    @property
    def latest_best(self) -> str:
        """Of the programs that are worth most the one evaluated last. Raises: ValueError where none compares."""
        return self._ranking.latest

    def ranking(self, count: int) -> list[str]:
        """The ``count`` programs that are worth most, best first."""
        return self._ranking.top(count)

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
