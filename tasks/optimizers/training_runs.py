"""Small training problems of several kinds with the value that a tuned optimizer reaches, for timing in steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from . import targets, workloads
from .stochastic import Array, Stochastic, glyph_net, ill_scaled_logistic

BATCH = 32
RATES = (0.01, 0.03, 0.1)


def language(rng: np.random.Generator) -> Stochastic:
    """A perceptron on word embeddings (workloads.trigram_language); the value is the excess on held-out samples."""
    words, hidden = int(rng.integers(50, 80)), int(rng.integers(24, 40))
    problem = workloads.trigram_language(rng, words, classes=6, width=12, hidden=hidden, batch=128)

    def sample(noise: np.random.Generator, x: Array) -> Array:
        rows = noise.integers(0, len(problem.labels), problem.batch)
        return workloads.loss_gradient(problem, x.astype(np.float32), rows).astype(np.float64)

    def value(x: Array) -> float:
        return workloads.excess_loss(problem, x.astype(np.float32))

    return Stochastic(problem.start.astype(np.float64), sample, value, 0.0)


def glyphs(rng: np.random.Generator) -> Stochastic:
    return glyph_net(rng, hidden=int(rng.integers(16, 40)), batch=BATCH)


def logistic(rng: np.random.Generator) -> Stochastic:
    return ill_scaled_logistic(rng, 400, int(rng.integers(30, 60)), BATCH)


def linear(rng: np.random.Generator) -> Stochastic:
    return _fitting(rng, "linear", targets.lopsided)


def perceptron(rng: np.random.Generator) -> Stochastic:
    return _fitting(rng, "mlp", targets.huber)


def _fitting(
    rng: np.random.Generator, model: str, kind: Callable[[np.random.Generator, Array], targets.Losses]
) -> Stochastic:
    problem = targets.fitting(rng, model, kind, 400, int(rng.integers(12, 24)))

    def sample(noise: np.random.Generator, x: Array) -> Array:
        rows = noise.integers(0, len(problem.inputs), BATCH)
        z, pulled = targets.outputs(model, x, problem.inputs[rows])
        return pulled(problem.losses.slope(z, rows) / BATCH)

    return Stochastic(problem.start, sample, problem.objective, problem.least)


def ratings(rng: np.random.Generator) -> Stochastic:
    """Factors (2, n, 4) of a matrix of which half of the entries are known, a third of these in each minibatch."""
    n, rank = int(rng.integers(24, 36)), 4
    known = rng.random((n, n)) < 0.5
    wanted = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, n)) / rank

    def errors(x: Array) -> tuple[Array, Array, Array]:
        left, right = x.reshape(2, n, rank)
        return left, right, left @ right.T - wanted

    def sample(noise: np.random.Generator, x: Array) -> Array:
        left, right, error = errors(x)
        shown = known & (noise.random((n, n)) < 1 / 3)
        error = 2 * error * shown / max(shown.sum(), 1)
        return np.concatenate([(error @ right).ravel(), (error.T @ left).ravel()])

    start = 0.1 * rng.standard_normal(2 * n * rank)
    return Stochastic(start, sample, lambda x: float((errors(x)[2] ** 2)[known].mean()), 0.0)


KINDS = {
    "language": language,
    "ratings": ratings,
    "glyphs": glyphs,
    "logistic": logistic,
    "linear": linear,
    "perceptron": perceptron,
}


def target(function: Stochastic, rng: np.random.Generator, steps: int) -> float:
    """The value after ``steps`` of Adam with cosine decay at the best of three rates."""
    return min(function.value(point) for point in _tuned(function, rng, steps))


def _tuned(function: Stochastic, rng: np.random.Generator, steps: int) -> Iterator[Array]:
    for rate in RATES:
        x, m, v = function.start.copy(), np.zeros(function.start.size), np.zeros(function.start.size)
        for t in range(1, steps + 1):
            g = function.sample(rng, x)
            m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
            step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
            x = x - rate * 0.5 * (1 + np.cos(np.pi * (t - 1) / steps)) * step
        yield x
