"""Streams of gradients for curvature estimates over a sliding window."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

RANK = 20


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
