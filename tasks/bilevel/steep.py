"""Bilevel problems whose upper level is steeper the higher it is: its curvature has no bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

TERMS = 15
RIDGE = 0.01
DISTANCE = 19.0
NOISE = 0.3
LIMIT = 1e9
"""Values and entries of gradients are at most this large, as if they overflowed there."""


@dataclass(frozen=True)
class Loss:
    """Of the differences d = ``rows`` y - target, entry by entry: ``value`` and ``slope``; zero where d is zero."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


@dataclass(frozen=True)
class Steep:
    """Upper f(x, y) = mean loss(A (y - y*(x°))) + 0.005 |x - x°|^2 over the minimiser y*(x) = M x + b of g(x, .).

    The lower g(x, y) = u'H u / 2 + ``bend`` sum log cosh u with u = y - y*(x) is strongly convex. ``rows`` A
    (15, ny), ``hessian`` H (ny, ny), ``matrix`` M (ny, nx), ``offset`` b (ny,), ``best`` x° (nx,), where f is 0, its
    least value. ``start`` (nx,) is 19 away.
    """

    loss: Loss
    rows: Array
    hessian: Array
    bend: float
    matrix: Array
    offset: Array
    best: Array
    start: Array

    @cached_property
    def target(self) -> Array:
        return self.rows @ self.lower_solution(self.best)

    def lower_solution(self, x: Array) -> Array:
        return self.matrix @ x + self.offset

    def value(self, x: Array) -> float:
        """The hyper-objective f(x, y*(x))."""
        with np.errstate(over="ignore", invalid="ignore"):
            losses = self.loss.value(self.rows @ self.lower_solution(x) - self.target)
            value = float(losses.mean() + RIDGE / 2 * np.sum((x - self.best) ** 2))
        return float(np.nan_to_num(min(value, LIMIT), nan=LIMIT))

    def upper_gradients(self, x: Array, y: Array) -> tuple[Array, Array]:
        with np.errstate(over="ignore", invalid="ignore"):
            slope = np.nan_to_num(self.loss.slope(self.rows @ y - self.target), nan=LIMIT)
        in_y = self.rows.T @ np.clip(slope, -LIMIT, LIMIT) / len(self.rows)
        return RIDGE * (x - self.best), in_y

    def lower_gradient(self, x: Array, y: Array) -> Array:
        u = y - self.lower_solution(x)
        return self.hessian @ u + self.bend * np.tanh(u)

    def lower_products(self, x: Array, y: Array, v: Array) -> tuple[Array, Array]:
        """The second derivatives g_yy v (ny,) and g_xy v (nx,) for v (ny,)."""
        u = y - self.lower_solution(x)
        moved = self.hessian @ v + self.bend * (1 - np.tanh(u) ** 2) * v
        return moved, -self.matrix.T @ moved


def _powers(r: Array) -> Array:
    """The state of s <- r s + 1 after six steps from s = 1."""
    state = np.ones_like(r)
    for _ in range(6):
        state = r * state + 1
    return state


def _powers_slope(r: Array) -> Array:
    state, slope = np.ones_like(r), np.zeros_like(r)
    for _ in range(6):
        state, slope = r * state + 1, r * slope + state
    return slope


def recurrent(gains: Array) -> Loss:
    """Squared error of a linear recurrence of six steps, whose gain is ``gains`` + 0.3 d: gradients explode above 1."""
    wanted = _powers(gains)

    def value(d: Array) -> Array:
        return 0.5 * (_powers(gains + 0.3 * d) - wanted) ** 2

    def slope(d: Array) -> Array:
        return 0.3 * (_powers(gains + 0.3 * d) - wanted) * _powers_slope(gains + 0.3 * d)

    return Loss(value, slope)


EXPONENTIAL = Loss(lambda d: 2 * np.cosh(d) - 2, lambda d: 2 * np.sinh(d))
QUARTIC = Loss(lambda d: d**4 / 4 + d**2 / 2, lambda d: d**3 + d)


def steep(rng: np.random.Generator, loss: Loss, nx: int, ny: int, bend: float) -> Steep:
    """Random directions; the eigenvalues of H spread from 0.1 to 1."""
    axes = np.linalg.qr(rng.standard_normal((ny, ny)))[0]
    best, matrix = 10 * rng.standard_normal(nx), rng.standard_normal((ny, nx)) / np.sqrt(nx)
    away = rng.standard_normal(nx)
    return Steep(
        loss=loss,
        rows=rng.standard_normal((TERMS, ny)) / np.sqrt(ny),
        hessian=(axes * 10 ** np.linspace(-1, 0, ny)) @ axes.T,
        bend=bend,
        matrix=matrix,
        offset=rng.standard_normal(ny) - matrix @ best,
        best=best,
        start=best + DISTANCE * away / np.linalg.norm(away),
    )
