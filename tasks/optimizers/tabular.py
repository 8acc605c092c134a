"""Small made-up data sets whose variables interact: regressions with noise, classifications with wrong labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

NOISE = 0.2
"""Of regression targets of unit variance."""
WRONG = 0.1
CLASSES = 5


@dataclass(frozen=True)
class Samples:
    """X (n, p) uniform; Y (n, 1) values, or (n, classes) one-hot rows."""

    X: Array
    Y: Array


Split = tuple[Samples, Samples]


def _inputs(rng: np.random.Generator, count: int, p: int) -> tuple[Array, Array]:
    """X and its coordinates along random axes."""
    X = rng.uniform(-1.7, 1.7, (count, p))
    return X, X @ np.linalg.qr(rng.standard_normal((p, p)))[0]


def _regression(rng: np.random.Generator, X: Array, values: Array, n: int) -> Split:
    """Noise is on the training part only."""
    Y = ((values - values[:n].mean()) / values[:n].std())[:, None]
    return Samples(X[:n], Y[:n] + NOISE * rng.standard_normal((n, 1))), Samples(X[n:], Y[n:])


def product(rng: np.random.Generator, n: int, held_out: int, p: int) -> Split:
    X, U = _inputs(rng, n + held_out, p)
    return _regression(rng, X, 2 * U[:, 0] * U[:, 1] + np.tanh(2 * U[:, 2]), n)


def sine(rng: np.random.Generator, n: int, held_out: int, p: int) -> Split:
    X, U = _inputs(rng, n + held_out, p)
    return _regression(rng, X, np.sin(2 * U[:, 0]) + 0.7 * np.sin(2 * U[:, 1] + 1) + 0.3 * U[:, 2], n)


def bumps(rng: np.random.Generator, n: int, held_out: int, p: int) -> Split:
    """Four hills and valleys in three of the variables."""
    X, _ = _inputs(rng, n + held_out, p)
    distance = ((X[:, None, :3] - rng.uniform(-1.2, 1.2, (4, 3))) ** 2).sum(axis=2)
    return _regression(rng, X, np.exp(-distance / 1.5) @ rng.choice([-1.0, 1.0], 4), n)


def parity(rng: np.random.Generator, n: int, held_out: int, p: int) -> Split:
    """The sign of a product, blurred near zero."""
    X, U = _inputs(rng, n + held_out, p)
    one_hot = np.eye(2)[(2 * U[:, 0] * U[:, 1] + 0.3 * rng.standard_normal(len(X)) > 0).astype(int)]
    return Samples(X[:n], one_hot[:n]), Samples(X[n:], one_hot[n:])


def spiral(rng: np.random.Generator, n: int, held_out: int, p: int) -> Split:
    """Five arms that turn with the radius; one label in ten is random."""
    X, U = _inputs(rng, n + held_out, p)
    turned = np.arctan2(U[:, 0], U[:, 1]) + 1.2 * np.hypot(U[:, 0], U[:, 1])
    label = (turned // (2 * np.pi / CLASSES)).astype(int) % CLASSES
    label = np.where(rng.random(len(X)) < WRONG, rng.integers(0, CLASSES, len(X)), label)
    one_hot = np.eye(CLASSES)[label]
    return Samples(X[:n], one_hot[:n]), Samples(X[n:], one_hot[n:])


KINDS: dict[str, Callable[[np.random.Generator, int, int, int], Split]] = {
    "product": product,
    "sine": sine,
    "bumps": bumps,
    "parity": parity,
    "spiral": spiral,
}
