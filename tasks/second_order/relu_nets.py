"""Small regression problems for nets of one hidden layer, and the penalised loss of such a net."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def steps(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """A noisy square wave of one variable: X (n, 2) with a last column of ones, y (n,)."""
    x = rng.uniform(-1, 1, n)
    y = np.sign(np.sin(5 * x + rng.uniform(-0.5, 0.5))) + 0.1 * rng.standard_normal(n)
    return np.column_stack([x, np.ones(n)]), y


def planted(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """What a net of six units makes of two Gaussian variables, plus noise: X (n, 3), y (n,)."""
    X = np.column_stack([rng.standard_normal((n, 2)), np.ones(n)])
    hidden = np.maximum(X @ rng.standard_normal((3, 6)), 0)
    return X, hidden @ rng.choice([-1.0, 1.0], 6) / np.sqrt(6) + 0.1 * rng.standard_normal(n)


def board(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """A chessboard of signs on the square: X (n, 3), y (n,)."""
    x = rng.uniform(-1, 1, (n, 2))
    y = np.sign(np.sin(3 * x[:, 0] + rng.uniform(-0.5, 0.5)) * x[:, 1])
    return np.column_stack([x, np.ones(n)]), y


def penalised(X: Array, y: Array, beta: float, W: Array, a: Array) -> float:
    """|relu(X W) a - y|^2 / 2 + beta (|W|^2 + |a|^2) / 2 for X (n, d), y (n,), W (d, m), a (m,)."""
    error = np.maximum(X @ W, 0) @ a - y
    return float(error @ error + beta * (np.sum(W**2) + a @ a)) / 2
