"""All mutations, by group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from .constants import CONSTANTS, PARAMETERS
from .control import CONTROL
from .crossover import CROSSOVER
from .expressions import EXPRESSIONS
from .rewrites import REWRITES
from .scene import Mutation
from .schedules import SCHEDULES
from .source import Piece
from .state import STATE
from .statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class Group:
    """Mutations of one sort. One that stands twice among them is drawn twice as often.

    ``weight`` says how often the group is drawn, ``size`` by what the piece that it mutates is drawn.
    """

    name: str
    weight: float
    mutations: tuple[Mutation, ...]
    size: Callable[[Piece], int] = attrgetter("length")


GROUPS = (
    Group("constants", 0.26, CONSTANTS, size=attrgetter("numbers")),
    Group("parameters", 0.14, PARAMETERS, size=attrgetter("parameters")),
    Group("schedules", 0.1, SCHEDULES),
    Group("expressions", 0.13, EXPRESSIONS),
    Group("statements", 0.07, STATEMENTS),
    Group("control", 0.07, CONTROL),
    Group("state", 0.13, STATE),
    Group("crossover", 0.06, CROSSOVER),
    Group("rewrites", 0.05, REWRITES),
)


MEMBERS = {group.name: tuple(dict.fromkeys(mutation.name for mutation in group.mutations)) for group in GROUPS}
"""Group -> names of its mutations."""


def shares(weights: Mapping[str, float]) -> tuple[float, ...]:
    """How often each group is drawn, the default weights overridden by ``weights``. Raises: ValueError."""
    unknown = set(weights) - {group.name for group in GROUPS}
    if unknown:
        raise ValueError(f"no group of mutations {sorted(unknown)}; there are {[group.name for group in GROUPS]}")
    chosen = [weights.get(group.name, group.weight) for group in GROUPS]
    total = sum(chosen)
    if min(chosen) < 0 or total == 0:
        raise ValueError("weights are at least 0 and not all 0")
    return tuple(weight / total for weight in chosen)
