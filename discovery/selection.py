"""Who becomes a parent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ..archive import RunState
from ..archive.fronts import pareto
from .config import ConfigError, Direction, SelectionSettings

SHARPNESS = 10.0

EXPONENT = 500.0
"""Bound of exponents, so that none overflows."""


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
        return drawn[int(np.argmax(_scores(drawn, state)))]


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


class Softmax:
    """Chances grow with ``exp(score / temperature)`` (FunSearch, Romera-Paredes et al. 2024)."""

    def __init__(self, temperature: float) -> None:
        self.temperature = temperature

    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        scores = _scores(elites, state)
        return _draw(elites, np.exp((scores - scores.max()) / self.temperature), rng)


class Weighted:
    """Good programs with few children: ``sigmoid(10 (score - median)) / (1 + children)`` (ShinkaEvolve, Lange 2025)."""

    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        scores = _scores(elites, state)
        children = np.array([len(state.children(program)) for program in elites])
        ahead = np.clip(SHARPNESS * (scores - np.median(scores)), -EXPONENT, EXPONENT)
        return _draw(elites, 1.0 / (1.0 + np.exp(-ahead)) / (1.0 + children), rng)


class BestSomewhere:
    """Of the run's programs that are best on an instance, by the number of those (GEPA, Agrawal et al. 2025)."""

    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        wins = state.instance_front.wins()
        return _draw(list(wins), np.array(list(wins.values()), dtype=float), rng)


class Pareto:
    """Any elite that no other beats in score and in all secondary objectives."""

    def __init__(self, secondary: Mapping[str, Direction]) -> None:
        self.secondary = secondary

    def select(self, elites: list[str], state: RunState, rng: np.random.Generator) -> str:
        """Raises: ConfigError for an objective that nothing measures."""
        scores = _scores(elites, state)
        points = {
            program: (score, *(self._goodness(name, program, state) for name in self.secondary))
            for program, score in zip(elites, scores.tolist(), strict=True)
        }
        front = pareto(points)
        return front[int(rng.integers(len(front)))]

    def _goodness(self, name: str, program: str, state: RunState) -> float:
        evaluation = state.evaluation_of(program)
        measured = evaluation.metrics | {
            "code_size": float(state.program(program).size),
            "cpu_seconds": evaluation.cpu_seconds,
            "peak_memory": float(evaluation.peak_memory),
        }
        if name not in measured:
            raise ConfigError(f"selection.secondary: nothing measures '{name}'; there are: {', '.join(measured)}")
        return measured[name] if self.secondary[name] == "maximize" else -measured[name]


def _scores(elites: list[str], state: RunState) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Of elites, which all have one."""
    return np.array([state.evaluation_of(program).score for program in elites], dtype=np.float64)


def _draw(names: list[str], weights: np.ndarray[Any, np.dtype[np.float64]], rng: np.random.Generator) -> str:
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]


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
        case "softmax":
            return Softmax(settings.temperature)
        case "weighted":
            return Weighted()
        case "instance_front":
            return BestSomewhere()
        case "pareto":
            return Pareto(settings.secondary)
