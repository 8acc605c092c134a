"""Who proposes: the protocol, what a proposer is shown, and what it gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from ..archive import Event, Merits, Program, Replied
from ..evaluators import Evaluation, Trace
from .memory import Success

FIRST = 1
"""Index of the first proposal of a run; number 0 is the baseline."""


class Operator(StrEnum):
    START = "start"
    """A program to begin with, from the statement of the task alone."""
    REWRITE = "rewrite"
    DIFF = "diff"
    CROSSOVER = "crossover"
    REPAIR = "repair"
    MUTATE = "mutate"
    TUNE = "tune"
    SHORTEN = "shorten"
    """Simplify: not the operator of the last step of a run, which the budget does not count (archive/state.py)."""


@dataclass(frozen=True, slots=True)
class TaskCard:
    """The public face of a task: all that a proposer may know of it. No reference, known program or secret."""

    id: str
    statement: str
    signature: str
    entries: tuple[str, ...]
    imports: tuple[str, ...]
    objective: str
    direction: str
    style: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program of this run with what its evaluation said."""

    program: Program
    evaluation: Evaluation
    trace: str = ""
    """What it did on a smoke instance, in words; for proposers that read."""


@dataclass(frozen=True)
class Brief:
    """What one call of a proposer is shown. ``parents[0]`` is the program to vary."""

    task: TaskCard
    parents: tuple[Candidate, ...]
    inspirations: tuple[Candidate, ...]
    rng: np.random.Generator
    insights: tuple[str, ...] = ()
    successes: tuple[Success, ...] = ()
    """Changes of other programs that are known to have helped. Like insights, for proposers that read."""
    relatives: tuple[Candidate, ...] = ()
    """Evaluated programs that differ from the parent in numbers only, itself among them, in the order in which they
    were proposed. Shown to proposers that ask for them."""
    merits: Merits = field(default_factory=dict)
    """What each proposer achieved on this island so far."""
    failed: tuple[Candidate, ...] = ()
    """Programs made from the parent that did not work, the latest first. Shown to proposers that ask for them."""
    index: int = 0
    """Number of the proposal in its run."""
    counterexamples: tuple[str, ...] = ()
    """Names of the instances beside the smoke ones on which a program is tried before it is proposed."""

    @property
    def parent(self) -> Candidate:
        return self.parents[0]


@dataclass(frozen=True, slots=True)
class Cost:
    tokens: int = 0
    usd: float | None = None
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A program with where it came from. ``parents`` are program ids."""

    program: Program
    parents: tuple[str, ...]
    operator: Operator
    proposer: str
    detail: str = ""
    """Which mutation or rewrite, e.g. ``swap_operator``; the bandit and the report group by it."""
    rationale: str = ""
    model: str | None = None
    prompt_hash: str | None = None
    cost: Cost = field(default_factory=Cost)
    faults: tuple[str, ...] = ()
    """What was wrong with answers that had a second chance, one line each."""
    further: tuple[Proposal, ...] = ()
    """Other programs that came of the same answer; what that cost is in ``cost``."""


class NoProposal(Exception):
    """The proposer found no variant for this brief; the conductor asks again with another one.

    ``proposer`` and what follows are given where the attempt had a cost that someone must answer for.
    """

    def __init__(
        self,
        reason: str = "",
        *,
        proposer: str = "",
        detail: str = "",
        model: str | None = None,
        prompt_hash: str | None = None,
        cost: Cost | None = None,
        faults: tuple[str, ...] = (),
    ) -> None:
        super().__init__(reason)
        self.proposer = proposer
        self.detail = detail
        self.model = model
        self.prompt_hash = prompt_hash
        self.cost = cost or Cost()
        self.faults = faults


class ProposerFailed(Exception):
    """Nothing more can come of this proposer; one line that says why. The run ends and can be resumed."""


class Proposer(Protocol):
    name: str

    async def propose(self, brief: Brief) -> Proposal:
        """Raises: NoProposal where no variant was found."""
        ...


@runtime_checkable
class Reads(Protocol):
    """A proposer that reads words: its briefs hold insights and successes, and each new elite is traced for it."""

    @property
    def reads(self) -> bool: ...


@runtime_checkable
class AsksForRelatives(Protocol):
    """A proposer that wants to see up to ``relatives`` programs of the parent's form."""

    @property
    def relatives(self) -> int: ...


@runtime_checkable
class AsksForFailures(Protocol):
    """A proposer that wants to see up to ``failures`` programs made from the parent that did not work."""

    @property
    def failures(self) -> int: ...


@runtime_checkable
class Starts(Protocol):
    """A proposer whose first proposal of a run is up to ``starts`` programs to begin with; 0 where it is like others.

    Nobody else proposes before that one has ended.
    """

    @property
    def starts(self) -> int: ...


@dataclass(frozen=True)
class Desk:
    """What a run lends to a proposer that waits for answers.

    ``record`` writes an event to the journal; ``violations`` are the rules of the task, one line each; ``smoke`` runs a
    program in the jail on tiny instances, and on the counterexamples that the brief names, and says what went wrong, or
    None; ``trace`` tells what the lines of a program did that failed there, or None. ``replies`` are those of this run
    to proposals that are still open, ``replayed`` those of another run, whose endpoint is not asked again; both by
    prompt hash, in their order.
    """

    directory: Path
    record: Callable[[Event], None]
    violations: Callable[[Mapping[str, str]], list[str]]
    smoke: Callable[[Program, Sequence[str]], Awaitable[Evaluation | None]]
    trace: Callable[[Program, Evaluation], Awaitable[Trace | None]]
    replies: Mapping[str, Sequence[Replied]] = field(default_factory=dict)
    replayed: Mapping[str, Sequence[Replied]] | None = None


@runtime_checkable
class Waits(Protocol):
    """A proposer whose answers take their time and may cost money, so that several are asked for at once."""

    @property
    def concurrency(self) -> int:
        """Proposals in flight."""
        ...

    @property
    def allowance(self) -> Cost:
        """The most that one proposal may cost; reserved before, settled after."""
        ...

    def open(self, desk: Desk) -> None:
        """Called once, before the first proposal."""
        ...

    async def close(self) -> None:
        """Called once, after the last one: waits for what is paid for already."""
        ...
