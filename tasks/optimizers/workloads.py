"""Nets small enough for hundreds of training steps in a fraction of a second, and convex functions for momentum."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Training:
    """A classification problem with known label distributions, and a residual two-layer perceptron to train on it.

    ``features`` and ``held_out`` are integer tokens (samples, tokens), looked up in a trained embedding, or float
    features (samples, inputs). ``truth`` (held-out samples, classes) holds the exact label probabilities, so that the
    held-out loss can be measured above its entropy. ``start`` is the flat float32 vector of initial weights.
    """

    features: Array
    labels: Array
    held_out: Array
    truth: Array
    shapes: Shapes
    start: Array
    batch: int

    @property
    def embedded(self) -> bool:
        return self.features.dtype.kind == "i"


def unflatten(flat: Array, shapes: Shapes) -> list[Array]:
    """Views of a flat vector as the tensors of the net, in order."""
    ends = itertools.accumulate(math.prod(shape) for shape in shapes)
    return [flat[end - math.prod(shape) : end].reshape(shape) for end, shape in zip(ends, shapes, strict=True)]


def loss_gradient(problem: Training, flat: Array, rows: Array) -> Array:
    """Gradient of the mean cross-entropy over the training samples ``rows``: flat float32, shape (parameters,)."""
    x, y = problem.features[rows], problem.labels[rows]
    grad = np.zeros_like(flat)
    tensors, slots = unflatten(flat, problem.shapes), unflatten(grad, problem.shapes)
    w1, _, w2, _, w3, _ = tensors[-6:]
    inputs, first, second, hidden, probabilities = _forward(problem, tensors, x)
    error = probabilities
    error[np.arange(len(y)), y] -= 1
    error /= len(y)
    into_hidden = error @ w3.T
    into_second = into_hidden * (second > 0)
    into_first = (into_hidden + into_second @ w2.T) * (first > 0)
    for k, (left, right) in enumerate(((inputs, into_first), (first, into_second), (hidden, error))):
        slots[-6 + 2 * k][:] = left.T @ right
        slots[-5 + 2 * k][:] = right.sum(0)
    if problem.embedded:
        width = slots[0].shape[1]
        into_inputs = (into_first @ w1.T).reshape(-1, width)
        one_hot = np.zeros((slots[0].shape[0], x.size), np.float32)
        one_hot[x.ravel(), np.arange(x.size)] = 1
        slots[0][:] = one_hot @ into_inputs
    return grad


def excess_loss(problem: Training, flat: Array) -> float:
    """Mean Kullback-Leibler divergence (nats) from the exact label distribution to the model's, on held-out samples."""
    with np.errstate(over="ignore", invalid="ignore"):
        model = _forward(problem, unflatten(flat, problem.shapes), problem.held_out)[-1].astype(np.float64)
    gap = np.log(np.maximum(problem.truth, 1e-300)) - np.log(np.maximum(model, 1e-300))
    return float((problem.truth * gap).sum(1).mean())


def _forward(problem: Training, tensors: list[Array], x: Array) -> tuple[Array, Array, Array, Array, Array]:
    w1, b1, w2, b2, w3, b3 = tensors[-6:]
    inputs = tensors[0][x].reshape(len(x), -1) if problem.embedded else x
    first = np.maximum(inputs @ w1 + b1, 0)
    second = np.maximum(first @ w2 + b2, 0)
    hidden = first + second
    logits = hidden @ w3 + b3
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return inputs, first, second, hidden, exponentials / exponentials.sum(1, keepdims=True)


def trigram_language(
    rng: np.random.Generator, words: int, classes: int, width: int, hidden: int, batch: int
) -> Training:
    """Predict a word from the two before it: Zipf words, whose hidden classes choose the next word's distribution."""
    zipf = 1.0 / np.arange(1, words + 1)
    zipf /= zipf.sum()
    first, second = rng.integers(0, classes, words), rng.integers(0, classes, words)
    table = rng.dirichlet(6.0 * zipf, size=(classes, classes))
    context = rng.choice(words, (9000, 2), p=zipf)
    truth = table[first[context[:, 0]], second[context[:, 1]]]
    labels = (rng.random(len(truth))[:, None] > truth.cumsum(1)).sum(1).clip(0, words - 1)
    shapes = ((words, width), *_perceptron(2 * width, hidden, words))
    return Training(
        context[1000:], labels[1000:], context[:1000], truth[:1000], shapes, _initial(rng, shapes, True), batch
    )


def noisy_glyphs(rng: np.random.Generator, classes: int, hidden: int, batch: int, wrong: float) -> Training:
    """Recognise smooth 8 x 8 prototypes under shifts, contrast and pixel noise; a share of labels is wrong."""
    side, samples = 8, 5000
    wave = np.fft.fftfreq(side, 1 / side)
    frequency = np.add.outer(wave**2, np.arange(side // 2 + 1) ** 2)
    spectrum = rng.standard_normal((2, classes, side, side // 2 + 1)) / (1 + frequency)
    prototypes = np.fft.irfft2(spectrum[0] + 1j * spectrum[1], s=(side, side))
    prototypes /= prototypes.std((1, 2), keepdims=True)
    kind = rng.integers(0, classes, samples)
    shift = rng.integers(-1, 2, (2, samples, 1))
    row, column = (np.arange(side) + shift[0]) % side, (np.arange(side) + shift[1]) % side
    contrast = rng.uniform(0.3, 1.5, (samples, 1, 1))
    images = contrast * prototypes[kind[:, None, None], row[:, :, None], column[:, None, :]]
    x = (images + 0.5 * rng.standard_normal(images.shape)).reshape(samples, -1).astype(np.float32)
    truth = np.full((samples, classes), wrong / classes)
    truth[np.arange(samples), kind] += 1 - wrong
    labels = np.where(rng.random(samples) < wrong, rng.integers(0, classes, samples), kind)
    shapes = _perceptron(side * side, hidden, classes)
    return Training(x[1000:], labels[1000:], x[:1000], truth[:1000], shapes, _initial(rng, shapes, False), batch)


def _perceptron(inputs: int, hidden: int, outputs: int) -> Shapes:
    return ((inputs, hidden), (hidden,), (hidden, hidden), (hidden,), (hidden, outputs), (outputs,))


def _initial(rng: np.random.Generator, shapes: Shapes, embedded: bool) -> Array:
    """Normal weights of standard deviation 1/sqrt(inputs), embeddings of 0.5, biases of zero."""
    parts = []
    for k, shape in enumerate(shapes):
        spread = 0.0 if len(shape) == 1 else 0.5 if embedded and k == 0 else shape[0] ** -0.5
        parts.append(spread * rng.standard_normal(shape).ravel())
    return np.concatenate(parts).astype(np.float32)


@dataclass(frozen=True)
class Convex:
    """``gradient`` maps x (d,) to (d,); ``smoothness`` is L and ``convexity`` mu; ``value`` is needed where mu = 0."""

    start: Array
    minimiser: Array
    smoothness: float
    convexity: float
    gradient: Callable[[Array], Array]
    value: Callable[[Array], float] | None = None

    def error(self, x: Array) -> float:
        """|x - x*| / |x0 - x*|; where mu = 0, (f - f*) / (L |x0 - x*|^2)."""
        length = float(np.linalg.norm(self.start - self.minimiser))
        if self.value is None:
            return float(np.linalg.norm(x - self.minimiser)) / length
        return (self.value(x) - self.value(self.minimiser)) / (self.smoothness * length**2)


def _moved(rng: np.random.Generator, d: int) -> tuple[Array, Array, float]:
    """A random rotation (d, d), a place for the minimiser, and a unit of length."""
    return np.linalg.qr(rng.standard_normal((d, d)))[0], rng.standard_normal(d), float(10 ** rng.uniform(-1, 1))


def jumping(rng: np.random.Generator, d: int) -> Convex:
    """A sum over rotated axes of functions whose curvature lies between 1 and 25, in random units.

    On the first axis the function of Lessard, Recht and Packard (2016, section 4.6): its slope is 25 t up to 1, t + 24
    up to 2 and 25 t - 24 beyond. From t = 3.3 the heavy ball with the best constants for quadratics runs into a cycle.
    On the others curvature is constant, or falls, or rises with the distance.
    """
    axes, centre, unit = _moved(rng, d)
    scale, kind, constant = float(10 ** rng.uniform(-1, 1)), rng.integers(0, 3, d), rng.uniform(1, 25, d)

    def gradient(x: Array) -> Array:
        t = axes.T @ (x - centre) / unit
        slope = np.choose(kind, [constant * t, t + 24 * np.tanh(t), 25 * t - 24 * np.tanh(t)])
        slope[0] = 25 * t[0] if t[0] < 1 else t[0] + 24 if t[0] < 2 else 25 * t[0] - 24
        return scale / unit * axes @ slope

    along = rng.standard_normal(d)
    along[0] = rng.uniform(3.25, 3.35)
    return Convex(centre + unit * axes @ along, centre, 25 * scale / unit**2, scale / unit**2, gradient)


def quadratic(rng: np.random.Generator, d: int, condition: float, clustered: bool) -> Convex:
    """Eigenvalues spread evenly from mu to L, or more densely towards both ends as the nodes of Chebyshev."""
    axes, centre, unit = _moved(rng, d)
    share = np.linspace(0, 1, d)
    spectrum = 1 + (condition - 1) * (0.5 - 0.5 * np.cos(np.pi * share) if clustered else share)

    def gradient(x: Array) -> Array:
        return axes @ (spectrum * (axes.T @ (x - centre)))

    return Convex(centre + unit * rng.standard_normal(d), centre, condition, 1.0, gradient)


def tridiagonal(rng: np.random.Generator, d: int, condition: float) -> Convex:
    """Nesterov's worst quadratic (2004, section 2.1.4), in random units: information spreads by one entry a step."""
    unit, scale = 10 ** rng.uniform(-1, 1, 2)
    chain = 2 * np.eye(d) - np.eye(d, k=1) - np.eye(d, k=-1)
    matrix = scale * ((condition - 1) / 4 * chain + np.eye(d))
    pull = np.zeros(d)
    pull[0] = scale * unit * (condition - 1) / 4
    return Convex(np.zeros(d), np.linalg.solve(matrix, pull), condition * scale, scale, lambda x: matrix @ x - pull)


def smooth_maximum(rng: np.random.Generator, d: int) -> Convex:
    """Logarithm of a sum of exponentials of linear functions that balance at the minimiser; mu = 0."""
    rows, centre, unit = rng.standard_normal((2 * d, d)), rng.standard_normal(d), float(10 ** rng.uniform(-1, 1))
    rows -= rows.mean(0)
    sharpness = 0.3

    def heights(x: Array) -> Array:
        return rows @ (x - centre) / (unit * sharpness)

    def value(x: Array) -> float:
        return sharpness * float(np.logaddexp.reduce(heights(x)))

    def gradient(x: Array) -> Array:
        height = heights(x)
        weights = np.exp(height - height.max())
        return weights @ rows / (weights.sum() * unit)

    smoothness = float(np.max(np.sum(rows**2, axis=1))) / (sharpness * unit**2)
    return Convex(centre + unit * rng.standard_normal(d), centre, smoothness, 0.0, gradient, value)
