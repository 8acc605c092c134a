"""Smooth convex functions with Hessian products and least values, and streams of gradients for sliding windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

NEWTON_STEPS = 60
RANK = 20


@dataclass(frozen=True)
class Smooth:
    """A convex function of z (d,): ``value`` a float, ``gradient`` (d,), ``product(z, v)`` the Hessian times v (d,)."""

    start: Array
    value: Callable[[Array], float]
    gradient: Callable[[Array], Array]
    product: Callable[[Array, Array], Array]

    def least(self) -> float:
        """The minimum, by Newton's method with backtracking, to rounding.

        Raises: ArithmeticError where the gradient does not vanish.
        """
        z = self.start
        for _ in range(NEWTON_STEPS):
            slope = self.gradient(z)
            hessian = np.stack([self.product(z, unit) for unit in np.eye(z.size)])
            step, here, share = np.linalg.solve(hessian, slope), self.value(z), 1.0
            if not slope @ step > 1e-14 * (abs(here) + 1):
                return here
            while self.value(z - share * step) > here - 1e-4 * share * (slope @ step) and share > 1e-9:
                share /= 2
            z = z - share * step
        raise ArithmeticError("Newton's method did not come to the minimum")


def chain(rng: np.random.Generator, d: int) -> Smooth:
    """Pseudo-Huber wells with weights over two decades, neighbours coupled by weak springs."""
    weight, centre, spring = 10 ** rng.uniform(-1, 1, d), rng.standard_normal(d), 0.05

    def stretched(z: Array) -> Array:
        """The springs' matrix times z."""
        pull = np.zeros(d)
        difference = np.diff(z)
        pull[:-1] -= difference
        pull[1:] += difference
        return spring * pull

    def value(z: Array) -> float:
        return float(weight @ (np.sqrt(1 + (z - centre) ** 2) - 1) + 0.5 * z @ stretched(z))

    def gradient(z: Array) -> Array:
        return weight * (z - centre) / np.sqrt(1 + (z - centre) ** 2) + stretched(z)

    def product(z: Array, v: Array) -> Array:
        return weight * v / (1 + (z - centre) ** 2) ** 1.5 + stretched(v)

    return Smooth(centre + 3 * rng.standard_normal(d), value, gradient, product)


def rare_words(rng: np.random.Generator, d: int) -> Smooth:
    """Logistic regression with ridge on one-hot features: in three fields, one of d / 3 Zipf-distributed words each."""
    samples, words = 6 * d, d // 3
    zipf = 1.0 / np.arange(1, words + 1)
    columns = rng.choice(words, (samples, 3), p=zipf / zipf.sum()) + words * np.arange(3)
    x = np.zeros((samples, d))
    x[np.arange(samples)[:, None], columns] = 1
    truth = 2 * rng.standard_normal(d)
    label = np.where(rng.random(samples) < 1 / (1 + np.exp(-x @ truth)), 1.0, -1.0)
    ridge = 0.1

    def share(z: Array) -> Array:
        return 1 / (1 + np.exp(np.minimum(label * (x @ z), 500)))

    def value(z: Array) -> float:
        return float(np.logaddexp(0, -label * (x @ z)).sum() + 0.5 * ridge * z @ z)

    def gradient(z: Array) -> Array:
        return -x.T @ (label * share(z)) + ridge * z

    def product(z: Array, v: Array) -> Array:
        wrong = share(z)
        return x.T @ (wrong * (1 - wrong) * (x @ v)) + ridge * v

    return Smooth(2 * rng.standard_normal(d), value, gradient, product)


def lattice(rng: np.random.Generator, d: int) -> Smooth:
    """A field on a square grid with a quartic energy, whose weights spread over two decades, and weak coupling."""
    side = int(np.sqrt(d))
    weight, force = 10 ** rng.uniform(-1, 1, side**2), rng.standard_normal(side**2)
    force *= weight

    def coupled(u: Array) -> Array:
        grid = u.reshape(side, side)
        neighbours = sum(np.roll(grid, step, axis) for step in (-1, 1) for axis in (0, 1))
        return 0.03 * (4 * grid - neighbours).ravel()

    def value(u: Array) -> float:
        return float(weight @ (u**4 / 4 + u**2 / 2) - force @ u + 0.5 * u @ coupled(u))

    def gradient(u: Array) -> Array:
        return weight * (u**3 + u) - force + coupled(u)

    def product(u: Array, v: Array) -> Array:
        return weight * (3 * u**2 + 1) * v + coupled(v)

    return Smooth(rng.standard_normal(side**2), value, gradient, product)


def drifting_gradients(rng: np.random.Generator, count: int, d: int, repeated: bool) -> Array:
    """Log-normal combinations of 20 directions that turn by one per cent a step, plus noise: shape (count, d).

    ``repeated`` makes every second gradient nearly the one before, so that a window's Gram matrix is ill-conditioned.
    """
    basis = rng.standard_normal((RANK, d))
    made = np.empty((count, d))
    for t in range(count):
        turn = rng.standard_normal((RANK, RANK))
        basis = basis + 0.01 * (turn - turn.T) @ basis / np.sqrt(RANK)
        size = np.exp(0.5 * rng.standard_normal(RANK))
        made[t] = 0.2 * (size * rng.standard_normal(RANK)) @ basis + 0.3 * rng.standard_normal(d)
    if repeated:
        made[1::2] = made[: 2 * (count // 2) : 2] + 1e-4 * made[1::2]
    return made


def residual(window: Array, damp: float, u: Array, gradient: Array) -> float:
    """|F u - g| / |g| for F = damp I + (1/m) sum of the window's rows as outer products, window (m, d)."""
    applied = damp * u + window.T @ (window @ u) / len(window)
    return float(np.linalg.norm(applied - gradient) / np.linalg.norm(gradient))
