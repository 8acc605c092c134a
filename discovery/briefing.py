"""What a proposer is shown: the parent, the programs beside it, and what the run knows of the task."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from ..agents import AsksForFailures, AsksForRelatives, Brief, Candidate, Proposer, TaskCard
from ..agents.memory import insights, successes
from ..agents.opto import trace_sections
from ..agents.proposer import Reads
from ..archive import RunState
from ..evaluators import State, TaskFolder
from .config import SelectionSettings
from .selection import parent_selector

SUCCESSES = 2
"""Examples of changes that helped, in a brief."""

FAILED = (State.CRASHED, State.INVALID, State.TIMEOUT, State.MEMORY, State.FORBIDDEN)


class Kinship:
    """The programs of a run by their form. Forms are found when first asked for, and kept."""

    def __init__(self) -> None:
        self._forms: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}

    def relatives(self, program: str, state: RunState, most: int) -> list[str]:
        """The first and the latest evaluated programs of the same form, ``most`` in all, in the order of proposal."""
        for other in islice(state.programs, len(self._forms), None):
            form = self._forms[other] = state.program(other).form
            self._members.setdefault(form, []).append(other)
        alike = [other for other in self._members[self._forms[program]] if state.evaluation_or_none(other)]
        return alike if len(alike) <= most else [alike[0], *alike[1 - most :]]


class Briefing:
    """Makes the brief of each proposal from what the run knows at that moment."""

    def __init__(self, card: TaskCard, settings: SelectionSettings, proposer: Proposer) -> None:
        self._card = card
        self._selector = parent_selector(settings)
        self._inspirations = settings.inspirations
        self._reads = isinstance(proposer, Reads) and proposer.reads
        self._relatives = proposer.relatives if isinstance(proposer, AsksForRelatives) else 0
        self._failures = proposer.failures if isinstance(proposer, AsksForFailures) else 0
        self._kinship = Kinship()

    def brief(self, state: RunState, index: int, island: int, seed: int) -> Brief:
        """Drawn from the elites of ``island``, which is never empty (it was seeded), by ``(seed, index)``."""
        rng = np.random.default_rng((seed, index))
        elites = state.archipelago.islands[island].elites()
        parent = self._selector.select(elites, state, rng)
        others = [program for program in elites if program != parent]
        shown = [others[int(i)] for i in rng.permutation(len(others))[: self._inspirations]]
        alike = self._kinship.relatives(parent, state, self._relatives) if self._relatives else []
        return Brief(
            task=self._card,
            parents=(_candidate(state, parent, _trace(state, parent) if self._reads else ""),),
            inspirations=tuple(_candidate(state, program) for program in shown),
            insights=insights(state, island, parent) if self._reads else (),
            successes=successes(state, parent, SUCCESSES) if self._reads else (),
            rng=rng,
            relatives=tuple(_candidate(state, program) for program in alike),
            merits=state.ledger.merits(island),
            failed=tuple(islice(_failed(state, parent), self._failures)) if self._failures else (),
            index=index,
            counterexamples=tuple(name for name in state.counterexamples if name not in state.withdrawn)
            if self._failures
            else (),
        )


def _failed(state: RunState, parent: str) -> Iterator[Candidate]:
    """Programs made from the parent that ended in an error of their own, the latest first."""
    for child in reversed(state.children(parent)):
        evaluation = state.evaluation_or_none(child)
        if evaluation is not None and evaluation.state in FAILED:
            yield Candidate(state.program(child), state.refutations.get(child) or evaluation)


def _trace(state: RunState, program: str) -> str:
    """What the program did on a smoke instance, in words; empty where it was not traced."""
    trace = state.traces.get(program)
    return "" if trace is None else trace_sections(trace, state.program(program)).text()


def _candidate(state: RunState, program: str, trace: str = "") -> Candidate:
    return Candidate(state.program(program), state.evaluation_of(program), trace)


def task_card(folder: TaskFolder) -> TaskCard:
    """What proposers may know of a task."""
    task = folder.task
    return TaskCard(
        id=task.id,
        statement=task.statement,
        signature=task.entry.signature,
        entries=tuple(task.entry.functions),
        imports=task.limits.imports,
        objective=task.objective.name,
        direction=task.objective.direction.value,
        style=task.style,
    )
