"""Regressions on samples drawn without end: what a gradient costs is decided by whoever asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

NOISE = 1.0


@dataclass(frozen=True)
class Stream:
    """Features with standard deviations ``scale`` (d,), targets from ``truth`` (d,), which minimises the mean loss.

    ``slope(z, target)`` is the derivative of a sample's loss in its prediction z, both (b,); ``target(rng, z)`` draws
    targets for the truth's predictions z (b,).
    """

    scale: Array
    truth: Array
    slope: Callable[[Array, Array], Array]
    target: Callable[[np.random.Generator, Array], Array]

    def sample(self, rng: np.random.Generator, x: Array, batch: int) -> tuple[Array, Array]:
        """Mean gradient at x (d,) of ``batch`` fresh samples, and its entries' sample variance (zeros for one)."""
        features = rng.standard_normal((batch, self.scale.size)) * self.scale
        gradients = features * self.slope(features @ x, self.target(rng, features @ self.truth))[:, None]
        return gradients.mean(axis=0), gradients.var(axis=0, ddof=1) if batch > 1 else np.zeros_like(x)

    def excess(self, x: Array) -> float:
        """The mean squared difference from the truth's predictions over that of x = 0."""
        return float(np.sum((self.scale * (x - self.truth)) ** 2) / np.sum((self.scale * self.truth) ** 2))


def _noisy(rng: np.random.Generator, z: Array) -> Array:
    return z + NOISE * rng.standard_normal(z.size)


def _labels(rng: np.random.Generator, z: Array) -> Array:
    return np.where(rng.random(z.size) < 1 / (1 + np.exp(-z)), 1.0, -1.0)


def _huber(z: Array, target: Array) -> Array:
    return (z - target) / np.sqrt(1 + (z - target) ** 2)


def _geman_mcclure(z: Array, target: Array) -> Array:
    """Of r^2 / (18 + 2 r^2): not convex; it forgets residuals far above 3."""
    return 36 * (z - target) / (18 + 2 * (z - target) ** 2) ** 2 * 9


def _logistic(z: Array, target: Array) -> Array:
    return -target / (1 + np.exp(np.minimum(target * z, 500)))


LOSSES = {"huber": (_huber, _noisy), "geman": (_geman_mcclure, _noisy), "logistic": (_logistic, _labels)}


def stream(rng: np.random.Generator, kind: str, d: int) -> Stream:
    """Scales over one decade in random order; the truth's predictions have a variance of about 4."""
    scale = rng.permutation(10 ** np.linspace(-0.5, 0.5, d))
    truth = 2 * rng.standard_normal(d) / np.sqrt(np.sum(scale**2))
    slope, target = LOSSES[kind]
    return Stream(scale, truth, slope, target)
