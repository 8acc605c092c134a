"""Domains to illuminate: a fitness and two features of behaviour for every point of a cube."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Evaluation = Callable[[Array], tuple[Array, Array]]
"""Points (r, dim) in [0, 1] to fitness (r,) in [0, 1] and behaviour (r, 2) in [0, 1]."""

TURN = 0.8 * np.pi
HALF_WIDTH = 5.12


def arm(rng: np.random.Generator, joints: int) -> Evaluation:
    """A planar arm of random links: fit where the angles differ evenly from preferred ones; behaviour is its end."""
    links = rng.uniform(0.5, 1.5, joints)
    links, preferred = links / links.sum(), rng.uniform(-0.3, 0.3, joints)

    def evaluate(x: Array) -> tuple[Array, Array]:
        angles = (2 * x - 1) * TURN
        directions = np.cumsum(angles, axis=1)
        ends = np.stack([np.cos(directions) @ links, np.sin(directions) @ links], axis=1)
        return 1 - np.std(angles - preferred, axis=1) / TURN, (1 + ends) / 2

    return evaluate


def rastrigin(rng: np.random.Generator, dim: int) -> Evaluation:
    """Rastrigin's function around a random centre; behaviour is the mean of each half of the coordinates."""
    centre = rng.uniform(-2, 2, dim)

    def evaluate(x: Array) -> tuple[Array, Array]:
        places = (2 * x - 1) * HALF_WIDTH
        away = places - centre
        value = (away**2 - 10 * np.cos(2 * np.pi * away) + 10).mean(axis=1)
        halves = np.stack([x[:, : dim // 2].mean(axis=1), x[:, dim // 2 :].mean(axis=1)], axis=1)
        # Means of many coordinates stay near the middle: the grid spans the middle three fifths.
        return np.maximum(1 - value / 45, 0.0), np.clip((halves - 0.2) / 0.6, 0, 1)

    return evaluate


@dataclass
class Cells:
    """The best fitness seen in each cell of a square grid of behaviours, flat; -1 where none was seen."""

    side: int

    def __post_init__(self) -> None:
        self.best = np.full(self.side**2, -1.0)

    def places(self, behaviour: Array) -> Array:
        columns = np.minimum((behaviour * self.side).astype(np.int64), self.side - 1)
        return columns[:, 0] * self.side + columns[:, 1]

    def add(self, fitness: Array, behaviour: Array) -> None:
        np.maximum.at(self.best, self.places(behaviour), fitness)

    @property
    def filled(self) -> Array:
        return self.best >= 0


def long_illumination(evaluate: Evaluation, dim: int, side: int, seed: int, evaluations: int) -> Array:
    """The best fitness of each cell (side^2,) after many evaluations, -1 where none was reached.

    Parents are uniform over the filled cells and move along the line to another one (Vassiliades and Mouret 2018).
    """
    rng, batch = np.random.default_rng(seed), 500
    cells, points = Cells(side), np.zeros((side**2, dim))
    x = rng.random((10 * batch, dim))
    for _ in range(evaluations // batch):
        fitness, behaviour = evaluate(x)
        places, order = cells.places(behaviour), np.argsort(fitness)
        better = order[fitness[order] > cells.best[places[order]]]
        # Of several points for one cell the fittest comes last and stays.
        points[places[better]], cells.best[places[better]] = x[better], fitness[better]
        filled = np.flatnonzero(cells.filled)
        one, other = points[rng.choice(filled, batch)], points[rng.choice(filled, batch)]
        along = 0.2 * rng.standard_normal((batch, 1)) * (other - one)
        x = np.clip(one + 0.01 * rng.standard_normal(one.shape) + along, 0, 1)
    return cells.best
