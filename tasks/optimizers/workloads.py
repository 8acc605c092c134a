"""Training problems small enough for hundreds of steps in a fraction of a second: numpy nets with gradients by hand."""

from __future__ import annotations

import itertools
import math
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
