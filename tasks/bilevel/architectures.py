"""Bilevel models of architecture search: weights fit a training loss, the architecture a validation loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Relaxed:
    """Training sum h(Q (w - B a)) with h(r) = r^2 / 2 + ``bend`` log cosh r; validation |P w - c|^2 / 2 + a'D w - e'a.

    In the validation loss a and w are taken from ``centre`` (k,) and from what trains best there, B centre.
    ``q`` Q (n, n) invertible, ``b`` B (n, k), ``p`` P (m, n), ``c`` (m,), ``d`` D (k, n), ``e`` (k,). The weights that
    train best are w*(a) = B a, at a loss of 0. With n = 1 it is the model that Xue et al. (2021, RARTS) solve.
    """

    q: Array
    b: Array
    p: Array
    c: Array
    d: Array
    e: Array
    centre: Array
    bend: float

    def training(self, w: Array, a: Array) -> tuple[Array, Array]:
        """The gradients in w (n,) and in a (k,)."""
        r = self.q @ (w - self.b @ a)
        in_w = self.q.T @ (r + self.bend * np.tanh(r))
        return in_w, -self.b.T @ in_w

    def validation(self, w: Array, a: Array) -> tuple[Array, Array]:
        """The gradients in w (n,) and in a (k,)."""
        w, a = w - self.b @ self.centre, a - self.centre
        return self.p.T @ (self.p @ w - self.c) + self.d.T @ a, self.d @ w - self.e

    @cached_property
    def smoothness(self) -> float:
        """A bound on the curvature of both losses in (w, a) together."""
        k = self.e.size
        residual = np.linalg.norm(np.hstack([self.q, -self.q @ self.b]), 2)
        mixed = np.block([[self.p.T @ self.p, self.d.T], [self.d, np.zeros((k, k))]])
        return float(max((1 + self.bend) * residual**2, np.linalg.norm(mixed, 2)))

    @cached_property
    def _quadratic(self) -> tuple[Array, Array]:
        """A, t with F(centre + a) = a'A a / 2 - t'a + constant."""
        fit = self.p @ self.b
        mixed = self.d @ self.b
        return fit.T @ fit + mixed + mixed.T, self.e + fit.T @ self.c

    def excess(self, a: Array) -> float:
        """F(a) - F(a*) for F(a) = validation loss at w*(a)."""
        away = a - self.optimum
        return 0.5 * float(away @ self._quadratic[0] @ away)

    @cached_property
    def optimum(self) -> Array:
        return self.centre + np.linalg.solve(*self._quadratic)


def scalar(rng: np.random.Generator, bend: float) -> Relaxed:
    """The solvable model, in random units."""
    ratio, height, pull = np.exp(rng.uniform(-0.4, 0.4, 3))
    one = np.ones((1, 1))
    return Relaxed(
        q=1.4 * one,
        b=ratio * one,
        p=0 * one,
        c=np.zeros(1),
        d=height * one,
        e=2 * pull * one[0],
        centre=20 * rng.choice([-1.0, 1.0], 1),
        bend=bend,
    )


def vector(rng: np.random.Generator, n: int, k: int, bend: float) -> Relaxed:
    """Random directions; the singular values of Q spread over half a decade, those of D B over less.

    D B is positive definite, so that descent which ignores how w*(a) moves converges, to another point.
    """
    left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
    axes = np.linalg.qr(rng.standard_normal((k, k)))[0]
    b = np.linalg.qr(rng.standard_normal((n, k)))[0] * rng.uniform(0.7, 1.4, k)
    pulled = (axes * rng.uniform(0.3, 0.6, k)) @ axes.T
    return Relaxed(
        q=(left * 10 ** rng.uniform(-0.25, 0.25, n)) @ right.T,
        b=b,
        p=rng.standard_normal((n, n)) / np.sqrt(2 * n),
        c=rng.standard_normal(n),
        d=pulled @ np.linalg.pinv(b),
        e=rng.standard_normal(k),
        centre=10 * rng.standard_normal(k),
        bend=bend,
    )
