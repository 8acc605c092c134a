"""Small classifiers with their tuning constants, trained for real on made-up data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Space = dict[str, dict[str, Any]]

VALIDATION = 200
EPOCHS, PART = 30, 16


@dataclass(frozen=True)
class Split:
    """Points (n, d) and classes (n,) to train on, and to validate with."""

    points: Array
    labels: Array
    unseen: Array
    answers: Array

    @property
    def targets(self) -> Array:
        """(n, classes), 1 at the class and else -1."""
        return 2.0 * np.eye(int(self.answers.max()) + 1)[self.labels] - 1


Scores = Callable[[Split, Mapping[str, float]], Array]
"""Scores (validation points, classes) by a classifier with these constants."""


def blobs(rng: np.random.Generator) -> tuple[Split, dict[str, float]]:
    """Two clusters a class in some of the directions, wrong labels, a random scale; and a card that describes them."""
    n, d, classes = int(rng.integers(80, 161)), int(rng.integers(4, 13)), int(rng.integers(2, 5))
    noise, scale = float(rng.uniform(0.0, 0.15)), float(10 ** rng.uniform(-0.5, 0.5))
    inner = max(2, d // 2)
    centres = 1.7 * rng.standard_normal((classes, 2, inner))
    labels, cluster = rng.integers(classes, size=n + VALIDATION), rng.integers(2, size=n + VALIDATION)
    labels[:classes] = labels[-classes:] = np.arange(classes)
    points = rng.standard_normal((n + VALIDATION, d))
    points[:, :inner] += centres[labels, cluster]
    points = scale * (points @ np.linalg.qr(rng.standard_normal((d, d)))[0])
    wrong = rng.random(n + VALIDATION) < noise
    labels = np.where(wrong, rng.integers(classes, size=n + VALIDATION), labels)
    card = {"samples": n, "features": d, "classes": classes, "variance": float(points.var()), "label_noise": noise}
    return Split(points[:n], labels[:n], points[n:], labels[n:]), card


def kernel(split: Split, config: Mapping[str, float]) -> Array:
    """Ridge regression on the targets with a Gaussian kernel."""

    def near(a: Array, b: Array) -> Array:
        return np.exp(-config["gamma"] * ((a[:, None] - b[None]) ** 2).sum(axis=2))

    gram = near(split.points, split.points) + np.eye(len(split.points)) / config["C"]
    return near(split.unseen, split.points) @ np.linalg.solve(gram, split.targets)


def neighbours(split: Split, config: Mapping[str, float]) -> Array:
    """A vote of the k nearest in the norm of order p, weighed by a power of the distance."""
    apart = (np.abs(split.unseen[:, None] - split.points[None]) ** config["p"]).sum(axis=2) ** (1 / config["p"])
    k = min(int(config["k"]), len(split.points))
    nearest = np.argpartition(apart, k - 1, axis=1)[:, :k]
    weights = (np.take_along_axis(apart, nearest, axis=1) + 1e-9) ** -config["power"]
    return (weights[:, :, None] * split.targets[nearest]).sum(axis=1)


def boosting(split: Split, config: Mapping[str, float]) -> Array:
    """Least-squares boosting with stumps at octiles, each on a random part of the points."""
    rng, targets = np.random.default_rng(0), split.targets
    cuts = np.quantile(split.points, np.arange(1, 8) / 8, axis=0)
    above, unseen = ((x[:, None] > cuts).reshape(len(x), -1).astype(float) for x in (split.points, split.unseen))
    fitted, scores = np.zeros_like(targets), np.zeros((len(unseen), targets.shape[1]))
    for _ in range(int(config["rounds"])):
        part = rng.random(len(targets)) < config["subsample"]
        residual = np.where(part[:, None], targets - fitted, 0.0)
        high, low = above.T @ residual, (1 - above).T @ residual
        counts = part @ above
        weights = config["l2"] + counts[:, None], config["l2"] + part.sum() - counts[:, None]
        best = int((high**2 / weights[0] + low**2 / weights[1]).sum(axis=1).argmax())
        leaves = low[best] / weights[1][best], high[best] / weights[0][best]
        fitted += config["rate"] * np.where(above[:, best : best + 1] > 0, leaves[1], leaves[0])
        scores += config["rate"] * np.where(unseen[:, best : best + 1] > 0, leaves[1], leaves[0])
    return scores


def network(split: Split, config: Mapping[str, float]) -> Array:
    """One hidden layer of tanh, least squares, stochastic gradient descent with momentum."""
    rng, targets, width = np.random.default_rng(0), split.targets, int(config["width"])
    d = split.points.shape[1]
    weights = [
        rng.standard_normal((d, width)) / np.sqrt(d),
        rng.standard_normal((width, targets.shape[1])) / width**0.5,
    ]
    speeds = [np.zeros_like(matrix) for matrix in weights]
    for _ in range(EPOCHS * len(targets) // PART):
        rows = rng.integers(len(targets), size=PART)
        hidden = np.tanh(split.points[rows] @ weights[0])
        error = np.clip(hidden @ weights[1] - targets[rows], -1e6, 1e6) / PART
        back = (error @ weights[1].T) * (1 - hidden**2)
        for k, gradient in enumerate((split.points[rows].T @ back, hidden.T @ error)):
            speeds[k] = config["momentum"] * speeds[k] - config["rate"] * (gradient + config["l2"] * weights[k])
            weights[k] = np.clip(weights[k] + speeds[k], -1e6, 1e6)
    return np.tanh(split.unseen @ weights[0]) @ weights[1]


def _range(low: float, high: float, *, log: bool = True, whole: bool = False) -> dict[str, Any]:
    return {"type": "int" if whole else "float", "low": low, "high": high, "log": log}


CLASSIFIERS: dict[str, tuple[Scores, Space]] = {
    "kernel": (kernel, {"C": _range(1e-4, 1e4), "gamma": _range(1e-6, 1e3)}),
    "neighbours": (
        neighbours,
        {"k": _range(1, 80, whole=True), "p": _range(1.0, 6.0, log=False), "power": _range(0.0, 8.0, log=False)},
    ),
    "boosting": (
        boosting,
        {
            "rounds": _range(1, 200, whole=True),
            "rate": _range(1e-3, 1.0),
            "subsample": _range(0.05, 1.0, log=False),
            "l2": _range(1e-2, 1e3),
        },
    ),
    "network": (
        network,
        {
            "rate": _range(1e-6, 10.0),
            "l2": _range(1e-6, 10.0),
            "width": _range(1, 100, whole=True),
            "momentum": _range(0.0, 0.99, log=False),
        },
    ),
}


def accuracy(name: str, split: Split, config: Mapping[str, float]) -> float:
    """On the validation points."""
    return float((CLASSIFIERS[name][0](split, config).argmax(axis=1) == split.answers).mean())


def random_config(rng: np.random.Generator, space: Space) -> dict[str, float]:
    config = {}
    for name, axis in space.items():
        low, high, u = axis["low"], axis["high"], rng.random()
        value = low * (high / low) ** u if axis["log"] else low + u * (high - low)
        config[name] = round(value) if axis["type"] == "int" else float(value)
    return config


def near_config(rng: np.random.Generator, space: Space, config: Mapping[str, float]) -> dict[str, float]:
    """Every constant moved by a few per cent of its range."""
    moved = {}
    for name, axis in space.items():
        low, high, shift, value = axis["low"], axis["high"], 0.05 * rng.standard_normal(), config[name]
        value = value * (high / low) ** shift if axis["log"] else value + shift * (high - low)
        value = min(max(value, low), high)
        moved[name] = round(value) if axis["type"] == "int" else float(value)
    return moved
