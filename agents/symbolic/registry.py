"""All mutations, by group."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .constants import CONSTANTS
from .control import CONTROL
from .crossover import CROSSOVER
from .expressions import EXPRESSIONS
from .rewrites import REWRITES
from .scene import Mutation
from .schedules import SCHEDULES
from .state import STATE
from .statements import STATEMENTS

MUTATIONS: Mapping[str, tuple[Mutation, ...]] = MappingProxyType(
    {
        "constants": CONSTANTS,
        "schedules": SCHEDULES,
        "expressions": EXPRESSIONS,
        "statements": STATEMENTS,
        "control": CONTROL,
        "state": STATE,
        "crossover": CROSSOVER,
        "rewrites": REWRITES,
    }
)
"""A mutation that stands twice in its group is drawn twice as often."""
