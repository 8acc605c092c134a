"""Functions on the unit cube at two levels of fidelity, disguised so that no program knows them by heart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...evaluators import costly

Array = np.ndarray[Any, Any]
Values = Callable[[Array], Array]

GENERATOR = 1
FEATURES = 100
SHOWN = 0.9
"""Share of each coordinate's range that a disguised function shows."""

HARTMANN_WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
HARTMANN_ROUGH_WEIGHTS = np.array([0.5, 0.5, 2.0, 4.0])
HARTMANN_SCALES = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
HARTMANN_CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)
BOREHOLE_LOW = np.array([0.05, 100, 63070, 990, 63.1, 700, 1120, 9855])
BOREHOLE_HIGH = np.array([0.15, 50000, 115600, 1110, 116, 820, 1680, 12045])


@dataclass(frozen=True)
class Pair:
    """``levels`` map points (r, dim) to values (r,), the cheap level first; ``least``, ``median``: of the last."""

    dim: int
    levels: tuple[Values, Values]
    least: float
    median: float

    def regret(self, x: Array) -> float:
        """(f(x) - least) / (median - least) of the high level."""
        return (float(self.levels[-1](x[None])[0]) - self.least) / (self.median - self.least)


def currin(x: Array) -> Array:
    """The exponential function of Currin et al. (1991), negated."""
    a, b = x[:, 0], np.maximum(x[:, 1], 1e-9)
    cubic = (2300 * a**3 + 1900 * a**2 + 2092 * a + 60) / (100 * a**3 + 500 * a**2 + 4 * a + 20)
    return -(1 - np.exp(-1 / (2 * b))) * cubic


def rough_currin(x: Array) -> Array:
    """The mean at four neighbours (Xiong, Qian and Wu 2013)."""
    moves = 0.05 * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    return np.mean([currin(np.maximum(x + move, 0.0)) for move in moves], axis=0)


def branin(x: Array) -> Array:
    a, b = 15 * x[:, 0] - 5, 15 * x[:, 1]
    valley = b - 5.1 / (4 * np.pi**2) * a**2 + 5 / np.pi * a - 6
    return valley**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10


def rough_branin(x: Array) -> Array:
    """Scaled, shifted and tilted."""
    return 0.7 * branin(0.9 * x + 0.03) + 15 * x[:, 0]


def hartmann(x: Array, weights: Array = HARTMANN_WEIGHTS) -> Array:
    """The function of six variables."""
    distances = ((x[:, None, :] - HARTMANN_CENTRES) ** 2 * HARTMANN_SCALES).sum(2)
    return -np.exp(-distances) @ weights


def rough_hartmann(x: Array) -> Array:
    return hartmann(x, HARTMANN_ROUGH_WEIGHTS)


def borehole(x: Array, front: float = 2 * np.pi, offset: float = 1.0) -> Array:
    """Flow of water through a borehole, negated; eight variables."""
    r, radius, tu, hu, tl, hl, length, k = (BOREHOLE_LOW + x * (BOREHOLE_HIGH - BOREHOLE_LOW)).T
    spread = np.log(radius / r)
    return -front * tu * (hu - hl) / (spread * (offset + 2 * length * tu / (spread * r**2 * k) + tu / tl))


def rough_borehole(x: Array) -> Array:
    """The low level of Xiong, Qian and Wu (2013)."""
    return borehole(x, front=5.0, offset=1.5)


def field(rng: np.random.Generator, dim: int, length: float) -> Values:
    """A draw of about a Gaussian process with squared-exponential kernel, by random Fourier features."""
    waves, phases = rng.standard_normal((FEATURES, dim)) / length, rng.uniform(0, 2 * np.pi, FEATURES)
    weights = rng.standard_normal(FEATURES) * np.sqrt(2 / FEATURES)
    return lambda x: np.cos(x @ waves.T + phases) @ weights


def disguised(seed: int, name: str, dim: int, rough: Values, exact: Values) -> Pair:
    """Both levels with coordinates permuted, some reflected, and a random tenth of each range cut off.

    The minimum is found by L-BFGS from the best of 20,000 points and kept under ``seed`` and ``name``.
    """
    rng = np.random.default_rng(seed)
    order, mirrored, low = rng.permutation(dim), rng.random(dim) < 0.5, rng.uniform(0, 1 - SHOWN, dim)

    def moved(x: Array) -> Array:
        return low + SHOWN * np.where(mirrored, 1 - x, x)[:, order]

    def high(x: Array) -> Array:
        return exact(moved(x))

    def facts() -> dict[str, Array]:
        points = rng.random((20_000, dim))
        heights = high(points)
        return {"least": np.array(_descended(high, points[np.argsort(heights)[:8]])), "median": np.median(heights)}

    found = costly("fidelity_pair", GENERATOR, {"seed": seed, "name": name}, facts)
    return Pair(dim, (lambda x: rough(moved(x)), high), float(found["least"]), float(found["median"]))


def _descended(values: Values, starts: Array) -> float:
    from scipy.optimize import minimize

    bounds = [(0.0, 1.0)] * starts.shape[1]
    return min(
        float(minimize(lambda x: values(x[None])[0], start, method="L-BFGS-B", bounds=bounds).fun) for start in starts
    )
