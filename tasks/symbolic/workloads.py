"""Function approximation: targets in high precision, sampled where a fit needs them and where a judge looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

Array = np.ndarray[Any, Any]
DIGITS = 40
FIT_NODES = 97
TEST_NODES = 300
RANDOM_NODES = 100


@dataclass(frozen=True)
class Target:
    """A real function on an interval. ``name`` is "composed" where only samples may tell what it is."""

    name: str
    low: float
    high: float
    f: Callable[[Any], Any]


def chebyshev_points(low: float, high: float, count: int) -> Array:
    """Extrema of a Chebyshev polynomial on [low, high], ascending, both ends included: shape (count,)."""
    points = (low + high) / 2 - (high - low) / 2 * np.cos(np.pi * np.arange(count) / (count - 1))
    points[0], points[-1] = low, high
    return points


def values(target: Target, points: Array) -> list[str]:
    """The target at the points (taken as exact binary fractions): decimal strings of 40 digits."""
    with mpmath.workdps(DIGITS + 10):
        return [str(mpmath.nstr(target.f(mpmath.mpf(float(x))), DIGITS)) for x in points]


def test_points(target: Target, rng: np.random.Generator) -> Array:
    """Where a judge looks: Chebyshev points and random ones, ascending."""
    regular = chebyshev_points(target.low, target.high, TEST_NODES)
    return np.sort(np.concatenate([regular, rng.uniform(target.low, target.high, RANDOM_NODES)]))


def named_targets(rng: np.random.Generator) -> list[Target]:
    """Six well-known functions, each on a fixed or random interval without a zero (but tanh, erf and log2(1+x))."""
    a, b, c = rng.uniform(0.3, 1.0), rng.uniform(0.5, 1.2), rng.uniform(0.5, 1.5)
    start, stop = rng.uniform(0.2, 0.6), rng.uniform(1.6, 2.1)
    odd = ("tanh", mpmath.tanh) if rng.random() < 0.5 else ("erf", mpmath.erf)
    special = ("bessel_j0", mpmath.j0) if rng.random() < 0.5 else ("airy_ai", mpmath.airyai)
    return [
        Target("exp2", 0.0, 1.0, lambda x: mpmath.mpf(2) ** x),
        Target("exp", -a, a, mpmath.exp),
        Target("cos", -b, b, mpmath.cos),
        Target(odd[0], -c, c, odd[1]),
        Target(special[0], start, stop, special[1]),
        Target("log2_1p", 0.0, 1.0, lambda x: mpmath.log(1 + x, 2)),
    ]


def composed_targets(rng: np.random.Generator) -> list[Target]:
    """Six compositions with random constants, all positive on their random interval."""
    a, b, c, d = rng.uniform(0.5, 1.5, 4).tolist()
    low = rng.uniform(-1.0, 0.0, 6)
    high = low + rng.uniform(1.0, 1.6, 6)
    functions: list[Callable[[Any], Any]] = [
        lambda x: mpmath.exp(a * mpmath.sin(b * x + c)),
        lambda x: 1 / (1 + a * mpmath.exp(-2 * b * x)),
        lambda x: mpmath.sqrt(1 + c * (x + d) ** 2),
        lambda x: mpmath.log(2 + a + mpmath.sin(b * x + d)),
        lambda x: mpmath.exp(-d * x * x) * (2.5 + c * x),
        lambda x: 1 + mpmath.atan(1.6 * c * x + a) / 2,
    ]
    return [Target("composed", float(low[k]), float(high[k]), f) for k, f in enumerate(functions)]
