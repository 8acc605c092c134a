"""Nonlinear problems with equality constraints: values, slopes and the matrix of Newton's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Equality:
    """min f(x) subject to c(x) = 0, x (n,), c (m,).

    ``objective`` gives f, its gradient (n,) and Hessian (n, n); ``constraint`` gives c, its Jacobian (m, n) and, for
    multipliers (m,), the sum of their products with the Hessians of c (n, n).
    """

    objective: Callable[[Array], tuple[float, Array, Array]]
    constraint: Callable[[Array, Array], tuple[Array, Array, Array]]

    def slopes(self, x: Array, lam: Array) -> tuple[Array, Array, float]:
        """The gradient in x of f + lam'c, c and f."""
        f, gradient, _ = self.objective(x)
        c, jacobian, _ = self.constraint(x, lam)
        return gradient + jacobian.T @ lam, c, f

    def newton(self, x: Array, lam: Array) -> tuple[Array, Array]:
        """K = [[H, J'], [J, 0]] (n + m, n + m) and the right-hand side -(gradient, c)."""
        _, gradient, hessian = self.objective(x)
        c, jacobian, bent = self.constraint(x, lam)
        matrix = np.block([[hessian + bent, jacobian.T], [jacobian, np.zeros((lam.size, lam.size))]])
        return matrix, -np.concatenate([gradient + jacobian.T @ lam, c])


def quadratic(rng: np.random.Generator, n: int, m: int) -> Equality:
    """x'Q x / 2 + sum log cosh x - b'x, Q a random matrix near 1.5 times the identity."""
    noise = rng.standard_normal((n, n)) / np.sqrt(n)
    matrix = 1.5 * np.eye(n) + 0.15 * (noise + noise.T) / np.sqrt(2)
    pull = rng.standard_normal(n)

    def objective(x: Array) -> tuple[float, Array, Array]:
        size, slope = np.abs(x), np.tanh(x)
        value = 0.5 * x @ matrix @ x + np.sum(size + np.log1p(np.exp(-2 * size)) - np.log(2)) - pull @ x
        return float(value), matrix @ x + slope - pull, matrix + np.diag(1 - slope**2)

    return Equality(objective, _waves(rng, n, m))


def logistic(rng: np.random.Generator, n: int, m: int) -> Equality:
    """Logistic regression on 2 n samples, with ridge."""
    features = rng.standard_normal((2 * n, n)) / np.sqrt(2)
    truth = rng.standard_normal(n) / np.sqrt(n)
    label = np.where(rng.random(2 * n) < 1 / (1 + np.exp(-3 * features @ truth)), 1.0, -1.0)
    weight, ridge = 4 / n, 1.0

    def objective(x: Array) -> tuple[float, Array, Array]:
        z = label * (features @ x)
        wrong = 1 / (1 + np.exp(np.clip(z, -500, 500)))
        value = weight * np.logaddexp(0, -z).sum() + 0.5 * ridge * x @ x
        slope = -weight * features.T @ (label * wrong) + ridge * x
        curved = weight * features.T @ ((wrong * (1 - wrong))[:, None] * features)
        return float(value), slope, curved + ridge * np.eye(n)

    return Equality(objective, _waves(rng, n, m))


def _waves(rng: np.random.Generator, n: int, m: int) -> Callable[[Array, Array], tuple[Array, Array, Array]]:
    """A x + 0.3 sin(A x) takes given values, A with orthonormal rows."""
    rows = np.linalg.qr(rng.standard_normal((n, m)))[0].T.copy()
    inside = rows @ (0.5 * rng.standard_normal(n))
    wanted = inside + 0.3 * np.sin(inside)

    def constraint(x: Array, lam: Array) -> tuple[Array, Array, Array]:
        at = rows @ x
        bent = rows.T @ ((-0.3 * np.sin(at) * lam)[:, None] * rows)
        return at + 0.3 * np.sin(at) - wanted, (1 + 0.3 * np.cos(at))[:, None] * rows, bent

    return constraint
