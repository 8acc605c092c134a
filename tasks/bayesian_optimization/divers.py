"""A diver who weighs treasure against time, and a tabular learner for several weights at once, with its constants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Space = dict[str, dict[str, Any]]

COLUMNS = 7
HORIZON = 30
STEPS = 1000
"""Steps of the environment in a training, over all weights."""

SPACE: Space = {
    "alpha": {"type": "float", "low": 0.01, "high": 1.0, "log": True},
    "gamma": {"type": "float", "low": 0.8, "high": 1.0, "log": False},
    "eps_start": {"type": "float", "low": 0.05, "high": 1.0, "log": False},
    "eps_end": {"type": "float", "low": 0.0, "high": 0.5, "log": False},
    "first_q": {"type": "float", "low": -10.0, "high": 10.0, "log": False},
    "replay": {"type": "int", "low": 0, "high": 6, "log": False},
    "weights": {"type": "int", "low": 2, "high": 12, "log": False},
}
DEFAULT: dict[str, float] = {
    "alpha": 0.1, "gamma": 0.99, "eps_start": 1.0, "eps_end": 0.05, "first_q": 0.0, "replay": 0, "weights": 6
}  # fmt: skip


@dataclass(frozen=True)
class Sea:
    """A grid (depth, COLUMNS) whose floor falls to the right; each column has a treasure on its floor.

    ``following`` (states, 4) and ``treasure`` (states,), positive where an episode ends. A step costs a unit of time.
    """

    following: Array
    treasure: Array

    def hypervolume(self, returns: Array) -> float:
        """Of (treasure, -time) of policies (k, 2), over no treasure in the longest time; the whole front's is 1."""
        return _area(returns) / _area(self.front())

    def front(self) -> Array:
        """Return of the shortest way to each treasure; a column's number and its depth are the ways' lengths."""
        states = np.flatnonzero(self.treasure)
        return np.column_stack([self.treasure[states], -(states // COLUMNS + states % COLUMNS).astype(float)])


def _area(points: Array) -> float:
    """Area dominated by points (k, 2) above (0, -HORIZON)."""
    area, best = 0.0, 0.0
    for treasure, time in points[np.argsort(-points[:, 1])]:
        if treasure > best:
            area += (treasure - best) * (time + HORIZON)
            best = treasure
    return area


def sea(rng: np.random.Generator) -> Sea:
    depths = np.cumsum(rng.integers(0, 3, COLUMNS)) + 1
    values = np.cumsum(rng.uniform(0.5, 4.0, COLUMNS))
    rows = int(depths[-1]) + 1
    treasure, following = np.zeros(rows * COLUMNS), np.zeros((rows * COLUMNS, 4), dtype=np.int64)
    treasure[depths * COLUMNS + np.arange(COLUMNS)] = values
    for state in range(rows * COLUMNS):
        row, column = divmod(state, COLUMNS)
        for action, (down, right) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
            to = min(max(row + down, 0), rows - 1), min(max(column + right, 0), COLUMNS - 1)
            # Rock lies below the floor: the diver stays where he is.
            following[state, action] = state if to[0] > depths[to[1]] else to[0] * COLUMNS + to[1]
    return Sea(following, treasure)


def trained(sea: Sea, config: Mapping[str, float], seed: int) -> float:
    """Normalised hypervolume of the greedy policies of a table per weight, trained side by side for STEPS in all."""
    rng, count = np.random.default_rng(seed), int(config["weights"])
    weights, each = np.linspace(0.05, 0.95, count), np.arange(count)
    q = np.full((count, len(sea.treasure), 4), float(config["first_q"]))
    state, age, rounds = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64), STEPS // count
    memory = np.zeros((rounds, 2, count), dtype=np.int64)

    def learn(states: Array, actions: Array) -> None:
        after = sea.following[states, actions]
        gained = sea.treasure[after]
        reward = weights * gained - (1 - weights)
        future = np.where(gained > 0, 0.0, config["gamma"] * q[each, after].max(axis=1))
        q[each, states, actions] += config["alpha"] * (reward + future - q[each, states, actions])

    for step in range(rounds):
        eps = config["eps_start"] + (config["eps_end"] - config["eps_start"]) * step / rounds
        greedy = (q[each, state] + 1e-9 * rng.random((count, 4))).argmax(axis=1)
        action = np.where(rng.random(count) < eps, rng.integers(4, size=count), greedy)
        memory[step] = state, action
        learn(state, action)
        for _ in range(int(config["replay"])):
            past = rng.integers(step + 1, size=count)
            learn(memory[past, 0, each], memory[past, 1, each])
        state, age = sea.following[state, action], age + 1
        over = (sea.treasure[state] > 0) | (age >= HORIZON)
        state, age = np.where(over, 0, state), np.where(over, 0, age)
    return sea.hypervolume(_returns(sea, q))


def _returns(sea: Sea, q: Array) -> Array:
    """(treasure, -time) of each greedy policy, (0, -HORIZON) where it finds none."""
    each, state = np.arange(len(q)), np.zeros(len(q), dtype=np.int64)
    found = np.column_stack([np.zeros(len(q)), np.full(len(q), -float(HORIZON))])
    for time in range(1, HORIZON + 1):
        state = sea.following[state, q[each, state].argmax(axis=1)]
        fresh = (sea.treasure[state] > 0) & (found[:, 0] == 0)
        found[fresh] = np.column_stack([sea.treasure[state], np.full(len(q), -float(time))])[fresh]
    return found
