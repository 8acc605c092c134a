"""Arms of Bernoulli bandits, in the random order in which they arrive."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def bernoulli_arms(rng: np.random.Generator, kind: str, count: int) -> Array:
    """Means (count,) of one stream: ``uniform``, ``one good`` among equals, or ``one good`` among ``poor`` ones."""
    if kind == "uniform":
        return rng.uniform(0.1, 0.9, count)
    if kind == "one good":
        means = np.full(count, rng.uniform(0.3, 0.6))
        means[rng.integers(count)] += rng.uniform(0.15, 0.3)
        return means
    if kind == "poor":
        means = rng.beta(2, 5, count)
        means[rng.integers(count)] = rng.uniform(0.8, 0.95)
        return means
    raise ValueError(f"no kind of arms is called '{kind}'")
