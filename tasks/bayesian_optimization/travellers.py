"""Travellers who choose among modes under congestion: shares that settle over many iterations of re-planning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

MODES = 8
REPLANNING = 0.15
"""Share of the travellers who choose anew in an iteration."""


@dataclass(frozen=True)
class City:
    """``utility`` (agents, modes) without the constants; ``capacity``, ``delay`` (modes,); ``seed`` of re-planning."""

    utility: Array
    capacity: Array
    delay: Array
    seed: int

    def start(self) -> Plans:
        """All choose by utility alone."""
        return Plans(self.utility.argmax(axis=1), 0)

    def shares(self, plans: Plans) -> Array:
        return np.bincount(plans.choices, minlength=MODES) / len(plans.choices)

    def replanned(self, plans: Plans, constants: Array, iterations: int, seed: int | None = None) -> Plans:
        """After more iterations with the alternative-specific ``constants`` (modes,)."""
        choices, count = plans.choices, len(plans.choices)
        wanted = self.utility + constants
        for done in range(plans.iterations, plans.iterations + iterations):
            rng = np.random.default_rng([self.seed if seed is None else seed, done])
            crowding = np.maximum(np.bincount(choices, minlength=MODES) / count / self.capacity - 1, 0)
            best = (wanted - self.delay * crowding).argmax(axis=1)
            choices = np.where(rng.random(count) < REPLANNING, best, choices)
        return Plans(choices, plans.iterations + iterations)


@dataclass(frozen=True)
class Plans:
    """The mode of every agent after so many iterations."""

    choices: Array
    iterations: int


def city(rng: np.random.Generator, agents: int) -> City:
    """Times and costs by distance and income, one mode for short ways only, congestion on most modes."""
    income, distance = rng.lognormal(0, 0.5, agents), rng.exponential(1.0, agents)
    base, slope, cost = rng.uniform(0.2, 1, MODES), rng.uniform(0.3, 2, MODES), rng.uniform(0, 1.5, MODES)
    utility = rng.gumbel(size=(agents, MODES)) - base - slope * distance[:, None] - cost / income[:, None]
    utility[distance > 1.2, 2] -= 4
    delay = rng.uniform(0, 4, MODES) * (rng.random(MODES) < 0.6)
    return City(utility, rng.uniform(0.08, 0.3, MODES), delay, int(rng.integers(2**31)))
