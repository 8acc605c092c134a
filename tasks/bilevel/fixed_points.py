"""Maps with a fixed point x* = T(x*, theta), their products with derivatives, and the gradient through x*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy.optimize import minimize

Array = np.ndarray[Any, Any]


class FixedPoint(Protocol):
    """A differentiable map T of x (n,) at fixed parameters theta (p,)."""

    @property
    def start(self) -> Array:
        """A point (n,) from which x <- T(x) converges."""
        ...

    def step(self, x: Array) -> Array: ...

    def vjp(self, x: Array, u: Array) -> tuple[Array, Array]:
        """(dT/dx)' u (n,) and (dT/dtheta)' u (p,) at x, for u (n,)."""
        ...


@dataclass(frozen=True)
class Logistic:
    """Gradient steps on a multinomial logistic loss; theta (d,) is the log of each feature's ridge penalty.

    ``features`` (m, d), ``labels`` (m, c) one-hot; x is (d c,). Its Jacobian is symmetric.
    """

    features: Array
    labels: Array
    theta: Array

    @property
    def start(self) -> Array:
        return np.zeros(self.features.shape[1] * self.labels.shape[1])

    @cached_property
    def rate(self) -> float:
        loss = 0.5 * float(np.linalg.norm(self.features, 2)) ** 2 / len(self.features)
        return 1 / (loss + float(np.exp(self.theta).max()))

    def step(self, x: Array) -> Array:
        weights = x.reshape(len(self.theta), -1)
        force = self.features.T @ (_softmax(self.features @ weights) - self.labels) / len(self.features)
        return x - self.rate * (force + np.exp(self.theta)[:, None] * weights).ravel()

    def vjp(self, x: Array, u: Array) -> tuple[Array, Array]:
        weights, moved = x.reshape(len(self.theta), -1), u.reshape(len(self.theta), -1)
        p, z = _softmax(self.features @ weights), self.features @ moved
        curved = self.features.T @ (p * (z - (p * z).sum(axis=1, keepdims=True))) / len(self.features)
        penalties = np.exp(self.theta)
        in_x = u - self.rate * (curved + penalties[:, None] * moved).ravel()
        return in_x, -self.rate * penalties * (weights * moved).sum(axis=1)


@dataclass(frozen=True)
class Lasso:
    """Proximal gradient steps on |F x - t|^2 / (2 m) + sum_j exp(theta_j) |x_j|; ``features`` F (m, n)."""

    features: Array
    targets: Array
    theta: Array

    @property
    def start(self) -> Array:
        return np.zeros(self.theta.size)

    @cached_property
    def rate(self) -> float:
        return len(self.targets) / float(np.linalg.norm(self.features, 2)) ** 2

    def _forward(self, x: Array) -> Array:
        return x - self.rate * self.features.T @ (self.features @ x - self.targets) / len(self.targets)

    def step(self, x: Array) -> Array:
        moved = self._forward(x)
        return np.sign(moved) * np.maximum(np.abs(moved) - self.rate * np.exp(self.theta), 0)

    def vjp(self, x: Array, u: Array) -> tuple[Array, Array]:
        moved, shrink = self._forward(x), self.rate * np.exp(self.theta)
        kept = np.where(np.abs(moved) > shrink, u, 0.0)
        in_x = kept - self.rate * self.features.T @ (self.features @ kept) / len(self.targets)
        return in_x, -shrink * np.sign(moved) * kept


@dataclass(frozen=True)
class Simplexes:
    """Projected gradient steps of a multiclass dual: each row of x (m, c) on the simplex, theta (m,) log-weights.

    f = |F' D (Y - x)|^2 / (2 m) + ``ridge`` |x|^2 / 2 with D = diag(exp(theta)), ``features`` F (m, d) and
    ``labels`` Y (m, c).
    """

    features: Array
    labels: Array
    theta: Array
    ridge: float

    @property
    def start(self) -> Array:
        return np.full(self.labels.size, 1 / self.labels.shape[1])

    @cached_property
    def rate(self) -> float:
        weighted = np.exp(self.theta)[:, None] * self.features
        return 1 / (self.ridge + float(np.linalg.norm(weighted, 2)) ** 2 / len(self.theta))

    def _kernel(self, rows: Array) -> Array:
        """F F' D rows / m."""
        return self.features @ (self.features.T @ (np.exp(self.theta)[:, None] * rows)) / len(self.theta)

    def _forward(self, rows: Array) -> Array:
        pull = np.exp(self.theta)[:, None] * self._kernel(self.labels - rows)
        return rows + self.rate * (pull - self.ridge * rows)

    def step(self, x: Array) -> Array:
        return _onto_simplexes(self._forward(x.reshape(self.labels.shape))).ravel()

    def vjp(self, x: Array, u: Array) -> tuple[Array, Array]:
        rows, weights = x.reshape(self.labels.shape), np.exp(self.theta)
        support = _onto_simplexes(self._forward(rows)) > 0
        kept = np.where(support, u.reshape(rows.shape), 0.0)
        kept -= support * (kept.sum(axis=1) / support.sum(axis=1))[:, None]
        pulled, rest = self._kernel(kept), self.labels - rows
        in_x = kept - self.rate * (weights[:, None] * pulled + self.ridge * kept)
        in_theta = (kept * self._kernel(rest)).sum(axis=1) + (pulled * rest).sum(axis=1)
        return in_x.ravel(), self.rate * weights * in_theta


@dataclass(frozen=True)
class Equilibrium:
    """An implicit layer tanh(W x + U theta + b): ``inner`` W (n, n) is not symmetric, ``outer`` U (n, p)."""

    inner: Array
    outer: Array
    bias: Array
    theta: Array

    @property
    def start(self) -> Array:
        return np.zeros(self.bias.size)

    def step(self, x: Array) -> Array:
        return np.tanh(self.inner @ x + self.outer @ self.theta + self.bias)

    def vjp(self, x: Array, u: Array) -> tuple[Array, Array]:
        through = (1 - self.step(x) ** 2) * u
        return self.inner.T @ through, self.outer.T @ through


@dataclass(frozen=True)
class Packing:
    """Gradient steps on soft discs in a periodic unit square; theta (N,) is the log of each radius.

    Overlapping discs repel with energy (1 - r / s)^2 / 2 at distance r < s, the sum of their radii. x (2 N,) may be
    moved as a whole, so that 1 is an eigenvalue of the Jacobian; the derivatives in theta are orthogonal to that.
    """

    theta: Array
    start: Array

    @cached_property
    def rate(self) -> float:
        return 0.25 * float(np.exp(self.theta).min()) ** 2

    def _pairs(self, x: Array) -> tuple[Array, Array, Array, Array]:
        """Unit vectors (N, N, 2), distances, sums of radii and whether the two touch (N, N)."""
        apart = x.reshape(-1, 1, 2) - x.reshape(1, -1, 2)
        apart -= np.round(apart)
        distance = np.sqrt((apart**2).sum(axis=2)) + np.eye(len(self.theta))
        sums = np.exp(self.theta)[:, None] + np.exp(self.theta)[None]
        return apart / distance[..., None], distance, sums, (distance < sums) & ~np.eye(len(sums), dtype=bool)

    def energy(self, x: Array) -> tuple[float, Array]:
        """The energy and its gradient (2 N,)."""
        unit, distance, sums, touch = self._pairs(x)
        overlap = np.where(touch, 1 - distance / sums, 0.0)
        return 0.25 * float((overlap**2).sum()), -(unit * (overlap / sums)[..., None]).sum(axis=1).ravel()

    def step(self, x: Array) -> Array:
        return x - self.rate * self.energy(x)[1]

    def vjp(self, x: Array, u: Array) -> tuple[Array, Array]:
        unit, distance, sums, touch = self._pairs(x)
        moved = u.reshape(-1, 1, 2) - u.reshape(1, -1, 2)
        along = np.where(touch, (unit * moved).sum(axis=2), 0.0)
        tension = np.where(touch, -(1 - distance / sums) / (sums * distance), 0.0)[..., None]
        bent = unit * (along * sums**-2)[..., None] + tension * (moved - unit * along[..., None])
        in_theta = np.exp(self.theta) * (along * (sums - 2 * distance) / sums**3).sum(axis=1)
        return u - self.rate * bent.sum(axis=1).ravel(), -self.rate * in_theta


def jacobians(problem: FixedPoint, x: Array) -> tuple[Array, Array]:
    """dT/dx (n, n) and dT/dtheta (n, p) at x."""
    rows = [problem.vjp(x, unit) for unit in np.eye(x.size)]
    return np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows])


def solution(problem: FixedPoint) -> Array:
    """x* (n,) with |T(x*) - x*| below 1e-12, by plain and Newton's steps in turn. ``ArithmeticError`` if not found."""
    x = problem.start
    for _ in range(40):
        for _ in range(100):
            x = problem.step(x)
        residual = problem.step(x) - x
        if np.linalg.norm(residual) < 1e-12:
            return x
        system = np.eye(x.size) - jacobians(problem, x)[0]
        near = x + np.linalg.lstsq(system, residual, rcond=1e-10)[0]
        # Kinked maps can make Newton's steps cycle.
        if np.linalg.norm(problem.step(near) - near) < np.linalg.norm(residual):
            x = near
    raise ArithmeticError("no fixed point found")


def _softmax(scores: Array) -> Array:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _onto_simplexes(rows: Array) -> Array:
    """The nearest points of the probability simplex, row by row."""
    ordered = -np.sort(-rows, axis=1)
    excess = (np.cumsum(ordered, axis=1) - 1) / np.arange(1, rows.shape[1] + 1)
    last = (ordered > excess).sum(axis=1) - 1
    return np.maximum(rows - excess[np.arange(len(rows)), last][:, None], 0)


def scaled_features(rng: np.random.Generator, m: int, d: int, decades: float) -> Array:
    return rng.standard_normal((m, d)) * 10 ** rng.uniform(-decades, 0, d)


def logistic(rng: np.random.Generator, n: int) -> Logistic:
    d, c = n // 3, 3
    features = scaled_features(rng, 4 * d, d, 0.7)
    labels = np.eye(c)[(features @ rng.standard_normal((d, c)) + rng.gumbel(size=(4 * d, c))).argmax(axis=1)]
    return Logistic(features, labels, np.log(10) * rng.uniform(-2.5, -1, d))


def lasso(rng: np.random.Generator, n: int) -> Lasso:
    features = rng.standard_normal((2 * n, n)) + 0.4 * rng.standard_normal((2 * n, 1))
    truth = rng.standard_normal(n) * (rng.random(n) < 0.3)
    targets = features @ truth + 0.1 * rng.standard_normal(2 * n)
    return Lasso(features, targets, np.log(10) * rng.uniform(-2.5, -1, n))


def simplexes(rng: np.random.Generator, n: int) -> Simplexes:
    m, c = n // 3, 3
    features = scaled_features(rng, m, m, 0.7)
    labels = np.eye(c)[rng.integers(c, size=m)]
    return Simplexes(features, labels, 0.3 * rng.standard_normal(m), ridge=0.003)


def equilibrium(rng: np.random.Generator, n: int) -> Equilibrium:
    inner = rng.standard_normal((n, n)) / np.sqrt(n)
    inner *= 1.2 / float(np.abs(np.linalg.eigvals(inner)).max())
    p = n // 4
    return Equilibrium(inner, rng.standard_normal((n, p)) / np.sqrt(p), np.zeros(n), rng.standard_normal(p))


def packing(rng: np.random.Generator, n: int) -> Packing:
    """Discs of two radii that cover 1.1 times the square, near a minimum of their energy."""
    count = n // 2
    radii = np.where(np.arange(count) % 2 == 0, 1.0, 1.4)
    radii *= np.sqrt(1.1 / (np.pi * np.sum(radii**2)))
    loose = Packing(np.log(radii), rng.random(2 * count))
    found = minimize(loose.energy, loose.start, jac=True, method="L-BFGS-B", options={"maxiter": 3000, "gtol": 1e-9})
    return Packing(loose.theta, found.x + 0.01 * radii.min() * rng.standard_normal(2 * count))


def cotangents(rng: np.random.Generator, problem: FixedPoint, x: Array, count: int) -> Array:
    """Unit vectors (count, n) that lie in the range of (I - dT/dx)'."""
    system = np.eye(x.size) - jacobians(problem, x)[0]
    made = rng.standard_normal((count, x.size))
    made = made @ (np.linalg.pinv(system, rcond=1e-10) @ system)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def implicit_gradients(problem: FixedPoint, x: Array, directions: Sequence[Array] | Array) -> Array:
    """(dx*/dtheta)' c (count, p) for each c of ``directions`` (count, n), by a dense solve."""
    in_x, in_theta = jacobians(problem, x)
    adjoint = np.linalg.lstsq((np.eye(x.size) - in_x).T, np.asarray(directions).T, rcond=1e-10)[0]
    return (in_theta.T @ adjoint).T
