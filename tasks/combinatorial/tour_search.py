"""Monte Carlo search over k-opt moves, guided by a heatmap (Fu, Qiu and Zha 2021), every choice of an edge counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .workloads import tour_length

Array = np.ndarray[Any, Any]
SEGMENT = 50
SCALE = 100.0


@dataclass(frozen=True)
class Settings:
    """``candidates``: how many points of each row of the heatmap may be chosen, the hottest; ``alpha``: weight of
    exploration; ``beta``: how much a success heats its edges; ``depth``: most edges of a move; ``patience``: moves
    without gain until the best tour is perturbed."""

    candidates: int
    alpha: float
    beta: float
    depth: int
    patience: int


class TourSearch:
    """Holds the best tour, ``best`` (a list) of length ``length``, from one search to the next."""

    def __init__(self, distances: Array, tour: Array, rng: np.random.Generator) -> None:
        self.best = [int(point) for point in tour]
        self.length = tour_length(distances, tour)
        self.kicks = 0
        self._distances = distances.tolist()
        self._rng = rng

    def run(self, heat: Array, settings: Settings, steps: int) -> Array:
        """Make ``steps`` choices of an edge, from the best tour on; returns the heatmap (n, n) as it has become."""
        edges = Edges(heat, settings)
        tour, length, failures = self.best, self.length, 0
        while steps > 0:
            moved, gain, used = self._move(tour, edges, settings.depth, steps, length)
            steps -= used
            if gain > 0:
                tour, length, failures = moved, length - gain, 0
                if length < self.length - 1e-10:
                    self.best, self.length = tour, length
            elif failures + 1 < settings.patience:
                failures += 1
            else:
                tour, length = self._perturbed()
                failures = 0
        return edges.heat / SCALE

    def _move(
        self, tour: list[int], edges: Edges, depth: int, steps: int, length: float
    ) -> tuple[list[int], float, int]:
        """One k-opt move: a tour, how much shorter it is (0 where none was found), and the choices made, at least 1."""
        start = int(self._rng.integers(len(tour)))
        path = tour[start:] + tour[:start]
        gain, chosen = self._distances[path[-1]][path[0]], []
        draws = self._rng.random(depth).tolist()
        edges.simulations += 1
        for used in range(1, min(depth, steps) + 1):
            end = path[0]
            point = edges.choose(end, path[1], draws[used - 1])
            if point is None:
                return tour, 0.0, used
            cut = path.index(point)
            gain += self._distances[path[cut - 1]][point] - self._distances[end][point]
            chosen.append((end, point))
            path[:cut] = path[cut - 1 :: -1]
            closed = gain - self._distances[path[0]][path[-1]]
            if closed > 1e-10:
                edges.reward(chosen, closed / length)
                return path, closed, used
        return tour, 0.0, max(len(chosen), 1)

    def _perturbed(self) -> tuple[list[int], float]:
        """The best tour with two adjacent stretches exchanged (a double bridge), within a random segment."""
        self.kicks += 1
        n = len(self.best)
        start = int(self._rng.integers(n))
        path = self.best[start:] + self.best[:start]
        a, b, c = sorted(1 + self._rng.choice(min(n, SEGMENT) - 1, 3, replace=False))
        path = path[:a] + path[b:c] + path[a:b] + path[c:]
        length = sum(self._distances[p][q] for p, q in zip(path, path[1:] + path[:1], strict=True))
        return path, length


class Edges:
    """The heatmap (n, n) and the visits of every edge during one search."""

    def __init__(self, heat: Array, settings: Settings) -> None:
        self.heat = SCALE * heat
        np.fill_diagonal(self.heat, 0.0)
        hottest = np.where(np.eye(len(heat), dtype=bool), np.inf, -self.heat)
        self.simulations = 0
        self._candidates = list(np.argsort(hottest, axis=1, kind="stable")[:, : settings.candidates])
        self._means = np.maximum(self.heat.mean(axis=1), 1e-12)
        self._unvisited = np.ones(heat.shape)
        self._settings = settings

    def choose(self, end: int, taken: int, draw: float) -> int | None:
        """A candidate of ``end`` but ``taken``, drawn by heat and exploration; None where all have weight 0."""
        points = self._candidates[end]
        explore = self._settings.alpha * np.log(self.simulations + 1) ** 0.5
        weights = self.heat[end][points] / self._means[end] + explore * self._unvisited[end][points]
        weights[points == taken] = 0.0
        total = weights.cumsum()
        if not total[-1] > 0:
            return None
        point = int(points[min(int(total.searchsorted(draw * total[-1], side="right")), len(points) - 1)])
        if point == taken:
            return None
        for a, b in ((end, point), (point, end)):
            self._unvisited[a, b] = (self._unvisited[a, b] ** -2 + 1) ** -0.5
        return point

    def reward(self, chosen: list[tuple[int, int]], gain: float) -> None:
        """Heat the edges of a move that shortened the tour by the share ``gain``."""
        more = self._settings.beta * (np.exp(gain) - 1)
        for a, b in chosen:
            for row, column in ((a, b), (b, a)):
                self.heat[row, column] += more
                self._means[row] += more / len(self.heat)
