"""Smooth convex functions on which methods with momentum differ, with L, mu and the minimiser known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Convex:
    """``gradient`` maps x (d,) to (d,); ``smoothness`` is L and ``convexity`` mu; ``value`` is needed where mu = 0."""

    start: Array
    minimiser: Array
    smoothness: float
    convexity: float
    gradient: Callable[[Array], Array]
    value: Callable[[Array], float] | None = None

    def error(self, x: Array) -> float:
        """|x - x*| / |x0 - x*|; where mu = 0, (f - f*) / (L |x0 - x*|^2)."""
        length = float(np.linalg.norm(self.start - self.minimiser))
        if self.value is None:
            return float(np.linalg.norm(x - self.minimiser)) / length
        return (self.value(x) - self.value(self.minimiser)) / (self.smoothness * length**2)


def _moved(rng: np.random.Generator, d: int) -> tuple[Array, Array, float]:
    """A random rotation (d, d), a place for the minimiser, and a unit of length."""
    return np.linalg.qr(rng.standard_normal((d, d)))[0], rng.standard_normal(d), float(10 ** rng.uniform(-1, 1))


def jumping(rng: np.random.Generator, d: int) -> Convex:
    """A sum over rotated axes of functions whose curvature lies between 1 and 25, in random units.

    On the first axis the function of Lessard, Recht and Packard (2016, section 4.6): its slope is 25 t up to 1, t + 24
    up to 2 and 25 t - 24 beyond. From t = 3.3 the heavy ball with the best constants for quadratics runs into a cycle.
    On the others curvature is constant, or falls, or rises with the distance.
    """
    axes, centre, unit = _moved(rng, d)
    scale, kind, constant = float(10 ** rng.uniform(-1, 1)), rng.integers(0, 3, d), rng.uniform(1, 25, d)

    def gradient(x: Array) -> Array:
        t = axes.T @ (x - centre) / unit
        slope = np.choose(kind, [constant * t, t + 24 * np.tanh(t), 25 * t - 24 * np.tanh(t)])
        slope[0] = 25 * t[0] if t[0] < 1 else t[0] + 24 if t[0] < 2 else 25 * t[0] - 24
        return scale / unit * axes @ slope

    along = rng.standard_normal(d)
    along[0] = rng.uniform(3.25, 3.35)
    return Convex(centre + unit * axes @ along, centre, 25 * scale / unit**2, scale / unit**2, gradient)


def quadratic(rng: np.random.Generator, d: int, condition: float, clustered: bool) -> Convex:
    """Eigenvalues spread evenly from mu to L, or more densely towards both ends as the nodes of Chebyshev."""
    axes, centre, unit = _moved(rng, d)
    share = np.linspace(0, 1, d)
    spectrum = 1 + (condition - 1) * (0.5 - 0.5 * np.cos(np.pi * share) if clustered else share)

    def gradient(x: Array) -> Array:
        return axes @ (spectrum * (axes.T @ (x - centre)))

    return Convex(centre + unit * rng.standard_normal(d), centre, condition, 1.0, gradient)


def tridiagonal(rng: np.random.Generator, d: int, condition: float) -> Convex:
    """Nesterov's worst quadratic (2004, section 2.1.4), in random units: information spreads by one entry a step."""
    unit, scale = 10 ** rng.uniform(-1, 1, 2)
    chain = 2 * np.eye(d) - np.eye(d, k=1) - np.eye(d, k=-1)
    matrix = scale * ((condition - 1) / 4 * chain + np.eye(d))
    pull = np.zeros(d)
    pull[0] = scale * unit * (condition - 1) / 4
    return Convex(np.zeros(d), np.linalg.solve(matrix, pull), condition * scale, scale, lambda x: matrix @ x - pull)


def smooth_maximum(rng: np.random.Generator, d: int) -> Convex:
    """Logarithm of a sum of exponentials of linear functions that balance at the minimiser; mu = 0."""
    rows, centre, unit = rng.standard_normal((2 * d, d)), rng.standard_normal(d), float(10 ** rng.uniform(-1, 1))
    rows -= rows.mean(0)
    sharpness = 0.3

    def heights(x: Array) -> Array:
        return rows @ (x - centre) / (unit * sharpness)

    def value(x: Array) -> float:
        return sharpness * float(np.logaddexp.reduce(heights(x)))

    def gradient(x: Array) -> Array:
        height = heights(x)
        weights = np.exp(height - height.max())
        return weights @ rows / (weights.sum() * unit)

    smoothness = float(np.max(np.sum(rows**2, axis=1))) / (sharpness * unit**2)
    return Convex(centre + unit * rng.standard_normal(d), centre, smoothness, 0.0, gradient, value)
