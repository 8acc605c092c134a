"""Who becomes a parent, and whose code is shown beside it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..agents import Brief, Candidate, TaskCard
from ..archive import RunState
from ..evaluators import TaskFolder
from .config import SelectionSettings


class ParentSelector(Protocol):
    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        """One of the elites' ids."""
        ...


class Uniform:
    """Every filled cell has the same chance (MAP-Elites, Mouret and Clune 2015)."""

    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        return elites[int(rng.integers(len(elites)))]


class Tournament:
    """The best score of ``size`` elites drawn with replacement."""

    def __init__(self, size: int) -> None:
        self.size = size

    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        drawn = [elites[int(i)] for i in rng.integers(len(elites), size=self.size)]
        return max(drawn, key=lambda program: state.evaluation_of(program).score or -np.inf)


class Mixture:
    """``explore`` of the time the first selector, else the second."""

    def __init__(self, explore: float, first: ParentSelector, second: ParentSelector) -> None:
        self.explore = explore
        self.first = first
        self.second = second

    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        chosen = self.first if rng.random() < self.explore else self.second
        return chosen.select(elites, state, rng)


class Baseline:
    """Always the program that the run started from: no proposal builds on another."""

    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        return state.baseline


class Incumbent:
    """The latest of the run's best programs: the parent of a (1+1) search, replaced when the child is not worse."""

    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        return state.latest_best


class Beam:
    """Each of the run's ``width`` best programs has the same chance."""

    def __init__(self, width: int) -> None:
        self.width = width

    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        best = state.ranking(self.width)
        return best[int(rng.integers(len(best)))]


def parent_selector(settings: SelectionSettings) -> ParentSelector:
    """The strategy that ``settings.parents`` names."""
    match settings.parents:
        case "mixture":
            return Mixture(settings.explore, Uniform(), Tournament(settings.tournament))
        case "uniform":
            return Uniform()
        case "tournament":
            return Tournament(settings.tournament)
        case "baseline":
            return Baseline()
        case "incumbent":
            return Incumbent()
        case "beam":
            return Beam(settings.beam)


def make_brief(
    card: TaskCard,
    state: RunState,
    island: int,
    selector: ParentSelector,
    inspirations: int,
    rng: np.random.Generator,
) -> Brief:
    """The brief for one proposal on ``island``, drawn from its elites; the island is never empty (it was seeded)."""
    elites = state.archipelago.islands[island].elites()
    parent = selector.select(elites, state, rng)
    others = [program for program in elites if program != parent]
    shown = [others[int(i)] for i in rng.permutation(len(others))[:inspirations]]
    return Brief(card, (_candidate(state, parent),), tuple(_candidate(state, program) for program in shown), rng)


def _candidate(state: RunState, program: str) -> Candidate:
    return Candidate(state.program(program), state.evaluation_of(program))


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
