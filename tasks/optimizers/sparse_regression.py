"""Regression problems with an l1 norm and the duality gap that certifies their solutions."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

NONZERO = 25


def sparse_problem(
    rng: np.random.Generator, loss: str, n: int, d: int, correlation: float, share: float
) -> tuple[Array, Array, float]:
    """A (n, d), y (n,) and the weight of the l1 norm, ``share`` of the least one at which zero is optimal.

    Neighbouring columns have the given ``correlation``; at most 25 coefficients of the truth are not zero.
    """
    fresh = np.sqrt(1 - correlation**2)
    A = rng.standard_normal((n, d))
    for j in range(1, d):
        A[:, j] = correlation * A[:, j - 1] + fresh * A[:, j]
    truth = np.zeros(d)
    places = rng.choice(d, min(NONZERO, d // 8), replace=False)
    truth[places] = rng.standard_normal(len(places))
    z = A @ truth
    if loss == "squared":
        y = z + 0.2 * rng.standard_normal(n)
        return A, y, share * float(np.abs(A.T @ y).max())
    y = np.where(rng.random(n) < 1 / (1 + np.exp(-z)), 1.0, -1.0)
    return A, y, share * float(np.abs(A.T @ y).max()) / 2


def relative_gap(A: Array, y: Array, lam: float, loss: str, x: Array) -> float:
    """(P(x) - D) / P(0), where D is the value of the scaled dual point that belongs to x. May be nan or inf."""
    with np.errstate(all="ignore"):
        z = A @ x
        penalty = lam * float(np.abs(x).sum())
        if loss == "squared":
            residual = y - z
            theta = residual * min(1.0, lam / float(np.abs(A.T @ residual).max()))
            at_zero = 0.5 * float(y @ y)
            return (0.5 * float(residual @ residual) + penalty - at_zero + 0.5 * float((y - theta) @ (y - theta))) / (
                at_zero
            )
        share = 1 / (1 + np.exp(y * z))
        share = share * min(1.0, lam / float(np.abs(A.T @ (y * share)).max()))
        dual = -float(np.sum(share * np.log(share) + (1 - share) * np.log1p(-share)))
        return (float(np.logaddexp(0, -y * z).sum()) + penalty - dual) / (len(y) * float(np.log(2)))
