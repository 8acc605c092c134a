"""Convex stochastic problems on which many runs with different step sizes go side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Regression:
    """Mean over samples of loss(z, y) at the predictions z = ``features`` x, features (n, d), targets y (n,).

    ``loss`` and its derivative ``slope`` in z work entry by entry; ``least`` is the minimum, ``start`` (d,).
    """

    features: Array
    targets: Array
    loss: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    start: Array
    least: float

    def gaps(self, x: Array) -> Array:
        """(f - least) / (f(start) - least) of each point, (..., d) to (...)."""
        with np.errstate(over="ignore", invalid="ignore"):
            at = self.loss(x @ self.features.T, self.targets).mean(axis=-1)
        return (at - self.least) / (self._at_start - self.least)

    @cached_property
    def _at_start(self) -> float:
        return float(self.loss(self.features @ self.start, self.targets).mean())

    def gradients(self, x: Array, rows: Array) -> Array:
        """Minibatch gradients: points (s, r, d), one minibatch (s, b) for the r points of each of s."""
        picked = self.features[rows]
        slopes = self.slope(x @ picked.mT, self.targets[rows][:, None, :])
        return slopes @ picked / rows.shape[1]


def run(problem: Regression, optimizer: str, schedule: Array, rates: Array, rows: Array) -> tuple[Array, Array]:
    """Last points (s, r, d) and gradient norms (t, s, r) of SGD or Adam with steps rates (r,) times schedule (t,).

    ``rows`` (s, t, b) holds the minibatches of s runs for each rate. Norms are Euclidean for SGD, l1 for Adam.
    """
    seeds, count = len(rows), len(rates)
    x = np.tile(problem.start, (seeds, count, 1))
    m, v = np.zeros_like(x), np.zeros_like(x)
    norms = np.empty((len(schedule), seeds, count))
    with np.errstate(over="ignore", invalid="ignore"):
        for t, share in enumerate(schedule):
            g = problem.gradients(x, rows[:, t])
            if optimizer == "adam":
                norms[t] = np.abs(g).sum(axis=2)
                m, v = FIRST * m + (1 - FIRST) * g, SECOND * v + (1 - SECOND) * g**2
                g = m / (1 - FIRST ** (t + 1)) / (np.sqrt(v / (1 - SECOND ** (t + 1))) + EPSILON)
            else:
                norms[t] = np.sqrt((g**2).sum(axis=2))
            x = x - (share * rates)[:, None] * g
    return x, norms


def _logistic(z: Array, y: Array) -> Array:
    return np.logaddexp(0, -y * z)


def _logistic_slope(z: Array, y: Array) -> Array:
    return -y / (1 + np.exp(np.clip(y * z, -500, 500)))


def _absolute(z: Array, y: Array) -> Array:
    return np.abs(z - y)


def _absolute_slope(z: Array, y: Array) -> Array:
    return np.sign(z - y)


def logistic(rng: np.random.Generator, n: int, d: int) -> Regression:
    """Labels drawn from a logistic model, features with sizes over one decade."""
    from scipy.optimize import minimize

    features = rng.standard_normal((n, d)) * 10 ** rng.uniform(-0.5, 0.5, d)
    truth = 0.5 * rng.standard_normal(d)
    targets = np.where(rng.random(n) < 1 / (1 + np.exp(-features @ truth)), 1.0, -1.0)

    def both(x: Array) -> tuple[float, Array]:
        z = features @ x
        return float(_logistic(z, targets).mean()), features.T @ _logistic_slope(z, targets) / n

    found = minimize(
        both, np.zeros(d), jac=True, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-10}
    )
    return Regression(features, targets, _logistic, _logistic_slope, np.zeros(d), float(found.fun))


def absolute(rng: np.random.Generator, n: int, d: int, away: float) -> Regression:
    """Least absolute deviations with heavy-tailed noise, started ``away`` from the truth in every coordinate."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix, hstack, identity

    features = rng.standard_normal((n, d)) * 10 ** rng.uniform(-0.5, 0.5, d)
    truth = rng.standard_normal(d)
    targets = features @ truth + rng.standard_t(2, n)
    # The residuals are the difference of two non-negative parts, whose mean sum is minimised.
    equal = hstack([csr_matrix(features), identity(n), -identity(n)], format="csr")
    cost = np.concatenate([np.zeros(d), np.full(2 * n, 1 / n)])
    bounds = [(None, None)] * d + [(0, None)] * (2 * n)
    found = linprog(cost, A_eq=equal, b_eq=targets, bounds=bounds, method="highs")
    return Regression(features, targets, _absolute, _absolute_slope, truth + away, float(found.fun))
