"""Who proposes: the protocol, what a proposer is shown, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np

from ..archive import Merits, Program
from ..evaluators import Evaluation
from .memory import Success


class Operator(StrEnum):
    REWRITE = "rewrite"
    DIFF = "diff"
    CROSSOVER = "crossover"
    REPAIR = "repair"
    MUTATE = "mutate"
    TUNE = "tune"
    SIMPLIFY = "simplify"


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


class NoProposal(Exception):
    """The proposer found no variant for this brief; the conductor asks again with another one."""


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
