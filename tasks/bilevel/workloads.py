"""Bilevel problems whose lower level has many solutions, with the optimistic value function in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

UPPER_RIDGE = 0.3


@dataclass(frozen=True)
class Bilevel:
    """Upper f(x, y) = |y - c - C x|^2 / 2 + 0.15 |x - d|^2 over the minimisers y of g(x, y) = |w(A y - B x)|^2 / 2.

    ``a`` (r, ny) has full row rank r < ny, so that g vanishes on an affine set; ``b`` (r, nx), ``coupling`` (ny, nx).
    The warp w(r) = r + ``bend`` tanh(2 r), entry by entry, is increasing: g then satisfies the Polyak-Lojasiewicz
    inequality, is not convex where ``bend`` is large, and has the same minimisers for every ``bend``.
    """

    a: Array
    b: Array
    coupling: Array
    c: Array
    d: Array
    bend: float

    def upper_gradients(self, x: Array, y: Array) -> tuple[Array, Array]:
        residual = y - self.c - self.coupling @ x
        return UPPER_RIDGE * (x - self.d) - self.coupling.T @ residual, residual

    def lower_gradients(self, x: Array, y: Array) -> tuple[Array, Array]:
        warped, slope, _ = self._warp(self.a @ y - self.b @ x)
        force = warped * slope
        return -self.b.T @ force, self.a.T @ force

    def lower_products(self, x: Array, y: Array, v: Array) -> tuple[Array, Array]:
        """The second derivatives g_yy v (ny,) and g_xy v (nx,) for v (ny,)."""
        warped, slope, curvature = self._warp(self.a @ y - self.b @ x)
        moved = (slope**2 + warped * curvature) * (self.a @ v)
        return self.a.T @ moved, -self.b.T @ moved

    def _warp(self, r: Array) -> tuple[Array, Array, Array]:
        """w and its first two derivatives."""
        t = np.tanh(2 * r)
        bell = 1 - t**2
        return r + self.bend * t, 1 + 2 * self.bend * bell, -8 * self.bend * t * bell

    @cached_property
    def smoothness(self) -> float:
        """A bound on the norm of g_yy."""
        warped, slope, curvature = self._warp(np.linspace(-5, 5, 4001))
        bent = max(float(np.abs(slope**2 + warped * curvature).max()), 1.0)
        return 1.001 * bent * float(np.linalg.norm(self.a, 2)) ** 2

    @cached_property
    def _value_terms(self) -> tuple[Array, Array]:
        """M, m with psi(x) = |M x - m|^2 / 2: the nearest lower solution to c + C x is a pseudo-inverse away."""
        inverse = np.linalg.pinv(self.a)
        root = np.sqrt(UPPER_RIDGE)
        nx = self.d.size
        stacked = np.vstack([inverse @ (self.b - self.a @ self.coupling), root * np.eye(nx)])
        return stacked, np.concatenate([inverse @ (self.a @ self.c), root * self.d])

    def value(self, x: Array) -> float:
        """psi(x) = min f(x, y) over the minimisers y of g(x, .)."""
        matrix, target = self._value_terms
        return 0.5 * float(np.sum((matrix @ x - target) ** 2))

    @cached_property
    def optimum(self) -> Array:
        matrix, target = self._value_terms
        return np.linalg.lstsq(matrix, target, rcond=None)[0]


def many_solutions(rng: np.random.Generator, nx: int, ny: int, rank: int, bend: float) -> Bilevel:
    """Random directions, singular values of A from 0.3 to 1."""
    left = np.linalg.qr(rng.standard_normal((rank, rank)))[0]
    right = np.linalg.qr(rng.standard_normal((ny, rank)))[0].T
    singular = 10 ** rng.uniform(-0.5, 0, rank)
    return Bilevel(
        a=(left * singular) @ right,
        b=rng.standard_normal((rank, nx)) / np.sqrt(nx),
        coupling=0.2 * rng.standard_normal((ny, nx)) / np.sqrt(nx),
        c=rng.standard_normal(ny),
        d=rng.standard_normal(nx),
        bend=bend,
    )


@dataclass(frozen=True)
class Coupled:
    """Upper F(x, y) = |x - y2|^2 / 2 + |y1 - e|^2 / 2 over the solutions y = (y1, y2) of a constrained lower level.

    The lower level minimises f(x, y) = y1'Q y1 / 2 - (M x)'y1 - p a3'y2 subject to a1'x + a2'y1 + a3'y2 <= 0, p > 0:
    the multiplier is p, y1 is unique, and y2 is free on the hyperplane where the constraint is tight. All of x, y1 and
    y2 are (n,). After the example of Yao et al. (2024, Constrained Bi-Level Optimization, section 5.1).
    """

    quadratic: Array
    matrix: Array
    a1: Array
    a2: Array
    a3: Array
    price: float
    wanted: Array

    def upper_gradients(self, x: Array, y: Array) -> tuple[Array, Array]:
        y1, y2 = np.split(y, 2)
        return x - y2, np.concatenate([y1 - self.wanted, y2 - x])

    def lower_gradients(self, x: Array, y: Array) -> tuple[Array, Array]:
        y1 = y[: x.size]
        in_y1 = self.quadratic @ y1 - self.matrix @ x
        return -self.matrix.T @ y1, np.concatenate([in_y1, -self.price * self.a3])

    def lower_products(self, v: Array) -> tuple[Array, Array]:
        """The second derivatives f_yy v (2 n,) and f_xy v (n,) for v (2 n,)."""
        v1 = v[: self.wanted.size]
        return np.concatenate([self.quadratic @ v1, np.zeros_like(v1)]), -self.matrix.T @ v1

    @cached_property
    def _value_terms(self) -> tuple[Array, Array]:
        """R, r with psi(x) = |R x - r|^2 / 2: y1 is affine in x, y2 the projection of x onto the hyperplane."""
        gain = np.linalg.solve(self.quadratic, self.matrix)
        shift = -self.price * np.linalg.solve(self.quadratic, self.a2)
        length = np.linalg.norm(self.a3)
        row = (self.a3 + self.a1 + gain.T @ self.a2) / length
        return np.vstack([gain, row]), np.append(self.wanted - shift, -(self.a2 @ shift) / length)

    def value(self, x: Array) -> float:
        """psi(x) = min F(x, y) over the solutions y of the lower level."""
        matrix, target = self._value_terms
        return 0.5 * float(np.sum((matrix @ x - target) ** 2))

    @cached_property
    def optimum(self) -> Array:
        matrix, target = self._value_terms
        return np.linalg.lstsq(matrix, target, rcond=None)[0]


def coupled(rng: np.random.Generator, n: int) -> Coupled:
    """Coefficients near one, as in the example, and eigenvalues of Q from 0.7 to 1.5."""
    axes = np.linalg.qr(rng.standard_normal((n, n)))[0]
    a1, a2, a3, wanted = 1 + 0.3 * rng.standard_normal((4, n))
    return Coupled(
        quadratic=(axes * rng.uniform(0.7, 1.5, n)) @ axes.T,
        matrix=np.eye(n) + 0.3 * rng.standard_normal((n, n)) / np.sqrt(n),
        a1=a1,
        a2=a2,
        a3=a3,
        price=float(rng.uniform(0.7, 1.3)),
        wanted=wanted,
    )
