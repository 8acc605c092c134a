"""Functions with heavy-tailed noisy gradients, and the sets over which they are minimised: a length for each group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .stochastic import Stochastic

Array = np.ndarray[Any, Any]

TAIL = 2.2
"""Degrees of freedom of the noise: its variance is barely finite."""
STEPS = 20_000


@dataclass(frozen=True)
class Lengths:
    """The points whose every group of coordinates is at most ``radius`` long; ``groups`` (d,) holds labels 0, 1, ..."""

    groups: Array
    radius: float

    def longest(self, x: Array) -> float:
        return float(self._lengths(x).max())

    def projected(self, x: Array) -> Array:
        """The nearest point of the set."""
        return x * np.minimum(1, self.radius / np.maximum(self._lengths(x), 1e-300))[self.groups]

    def share_at_bound(self, x: Array) -> float:
        """The share of groups within a thousandth of the bound."""
        return float(np.mean(self._lengths(x) > 0.999 * self.radius))

    def _lengths(self, x: Array) -> Array:
        return np.sqrt(np.bincount(self.groups, weights=x**2))


def bowl(rng: np.random.Generator, inside: Lengths, reach: float, bent: bool) -> Stochastic:
    """A quadratic around a point, or a sum of log cosh along its axes; ``least`` is over the set.

    Groups have scales over one and a half decades, and rotated axes couple the coordinates. The unconstrained
    minimiser is uniform within ``reach`` radii in every coordinate. Noise of a coordinate is in its scale.
    """
    d = inside.groups.size
    scale = (10 ** rng.uniform(-0.75, 0.75, inside.groups.max() + 1))[inside.groups]
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0] * np.sqrt(10 ** np.linspace(-1, 0.5, d))
    factor = axes.T * scale
    centre = reach * inside.radius * rng.uniform(-1, 1, d)

    def gradient(x: Array) -> Array:
        along = factor @ (x - centre)
        return factor.T @ (np.tanh(along) if bent else along)

    def value(x: Array) -> float:
        along = np.abs(factor @ (x - centre))
        return float(np.sum(along + np.log1p(np.exp(-2 * along)) - np.log(2)) if bent else along @ along / 2)

    def sample(noise: np.random.Generator, x: Array) -> Array:
        return gradient(x) + scale * noise.standard_t(TAIL, d)

    best = minimiser(gradient, inside, float(np.linalg.norm(factor, 2)) ** 2)
    return Stochastic(np.zeros(d), sample, value, value(best))


def minimiser(gradient: Callable[[Array], Array], inside: Lengths, smoothness: float) -> Array:
    """Accelerated projected gradient steps with restarts, until they move by less than 1e-11 radii.

    Raises: ArithmeticError if they still move.
    """
    x = y = np.zeros(inside.groups.size)
    momentum = 1.0
    for _ in range(STEPS):
        near = inside.projected(y - gradient(y) / smoothness)
        if np.abs(near - y).max() < 1e-11 * inside.radius:
            return near
        if (y - near) @ (near - x) > 0:
            momentum = 1.0
        after = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        y, x, momentum = near + (momentum - 1) / after * (near - x), near, after
    raise ArithmeticError("the projected steps do not settle")
