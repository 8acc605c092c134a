"""Landscapes whose values stay hidden: a black box per kind, with its least value and a start."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Landscape:
    """``values`` maps points (r, d) to values (r,), infinite where there is none; ``least`` is its minimum."""

    start: Array
    values: Callable[[Array], Array]
    least: float = 0.0

    def gap(self, x: Array) -> float:
        """(f(x) - least) / (f(start) - least), at least 0; infinite where f is."""
        at_x, at_start = self.values(np.stack([x, self.start])) - self.least
        return max(float(at_x / at_start), 0.0)


def quadratic(rng: np.random.Generator, d: int) -> Landscape:
    """Separable, with curvatures over two decades."""
    curvature, centre = 10 ** rng.uniform(-1, 1, d), 0.5 * rng.standard_normal(d)
    return Landscape(rng.standard_normal(d), lambda x: 0.5 * (curvature * (x - centre) ** 2).sum(1))


def rosenbrock(rng: np.random.Generator, d: int) -> Landscape:
    """The chained function, its minimiser moved from all ones by a random vector."""
    shift, start = 0.5 * rng.standard_normal(d), rng.standard_normal(d)

    def values(x: Array) -> Array:
        y = x - shift
        return (100 * (y[:, 1:] - y[:, :-1] ** 2) ** 2 + (1 - y[:, :-1]) ** 2).sum(1)

    return Landscape(start + shift, values)


def log_cosh(rng: np.random.Generator, d: int) -> Landscape:
    """Sum of log cosh along rotated axes, scaled over two decades: a bowl near the centre, flat slopes far away."""
    axes = np.linalg.qr(rng.standard_normal((d, d)))[0] * 10 ** np.linspace(-1, 1, d)
    centre = 0.5 * rng.standard_normal(d)

    def values(x: Array) -> Array:
        far = np.abs((x - centre) @ axes)
        return (far + np.log1p(np.exp(-2 * far)) - np.log(2)).sum(1)

    return Landscape(rng.standard_normal(d), values)


def image(rng: np.random.Generator, d: int) -> Landscape:
    """Squared distance of the picture tanh(W z) of a latent z to a target's, 64 pixels or more."""
    pixels = max(64, 2 * d)
    decoder = rng.standard_normal((d, pixels)) / np.sqrt(d)
    target = np.tanh(rng.standard_normal(d) @ decoder)
    return Landscape(rng.standard_normal(d), lambda z: ((np.tanh(z @ decoder) - target) ** 2).sum(1))


def regulator(rng: np.random.Generator, states: int, controls: int) -> Landscape:
    """Cost of u = -K s in a random linear system s' = A s + B u + noise, K entry by entry the unknown (d = both).

    The cost is trace P with P = Q + K'RK + (A - BK)' P (A - BK), infinite where A - BK is not stable; the least
    value is that of the discrete Riccati equation. The start is no control, where the spectral radius is 0.97.
    """
    from scipy.linalg import solve_discrete_are

    a = rng.standard_normal((states, states))
    a *= 0.97 / np.abs(np.linalg.eigvals(a)).max()
    b, effort = rng.standard_normal((states, controls)) / np.sqrt(states), 0.1 * np.eye(controls)
    least = float(np.trace(solve_discrete_are(a, b, np.eye(states), effort)))
    start, unit = rng.standard_normal(states * controls), 0.3

    def values(x: Array) -> Array:
        gains = unit * (x - start).reshape(-1, controls, states)
        closed = a - b @ gains
        stable = np.abs(np.linalg.eigvals(closed)).max(1) < 1
        costs = np.full(len(x), np.inf)
        costs[stable] = _discounted(closed[stable], np.eye(states) + gains[stable].mT @ effort @ gains[stable])
        return costs

    return Landscape(start, values, least)


def _discounted(closed: Array, stage: Array) -> Array:
    """Trace of P = stage + closed' P closed for each of the stable systems (r, n, n): shape (r,)."""
    count, n, _ = closed.shape
    transposed = closed.mT
    kronecker = np.einsum("rij,rkl->rikjl", transposed, transposed).reshape(count, n * n, n * n)
    flat = np.linalg.solve(np.eye(n * n) - kronecker, stage.reshape(count, n * n, 1))
    return np.trace(flat.reshape(count, n, n), axis1=1, axis2=2)


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron with weights (in, out) and biases; ``smooth`` is tanh, else relu."""

    layers: tuple[tuple[Array, Array], ...]
    smooth: bool

    def output(self, x: Array) -> Array:
        """Points (r, d) to outputs (r, m)."""
        return self._activations(x)[-1]

    def gradient(self, x: Array, direction: Array) -> Array:
        """Of direction . output for each row: points and directions (r, d), (r, m) to (r, d)."""
        activations = self._activations(x)
        back = direction
        for (weights, _), below in zip(reversed(self.layers), reversed(activations[:-1]), strict=True):
            back = back @ weights.T
            if below is not activations[0]:
                back = back * (1 - below**2 if self.smooth else below > 0)
        return back

    def _activations(self, x: Array) -> list[Array]:
        values = [x]
        for number, (weights, bias) in enumerate(self.layers, 1):
            sums = values[-1] @ weights + bias
            last = number == len(self.layers)
            values.append(sums if last else np.tanh(sums) if self.smooth else np.maximum(sums, 0.0))
        return values


def network(rng: np.random.Generator, widths: tuple[int, ...], smooth: bool) -> Network:
    """Random weights of variance 2 / in (relu) or 1 / in (tanh), biases of 0.1."""
    layers = []
    for inner, outer in itertools.pairwise(widths):
        scale = np.sqrt((1.0 if smooth else 2.0) / inner)
        layers.append((scale * rng.standard_normal((inner, outer)), 0.1 * rng.standard_normal(outer)))
    return Network(tuple(layers), smooth)


def fitted(net: Network, x: Array, y: Array, steps: int) -> Network:
    """``net`` after full-batch Adam (rate 0.01) on the squared error to y (r, m) at x (r, d)."""
    parameters = [array.copy() for layer in net.layers for array in layer]
    moments = [(np.zeros_like(array), np.zeros_like(array)) for array in parameters]
    for step in range(1, steps + 1):
        current = Network(tuple(zip(parameters[::2], parameters[1::2], strict=True)), net.smooth)
        values = current._activations(x)
        back, gradients = (values[-1] - y) / len(x), []
        for (weights, _), below in zip(reversed(current.layers), reversed(values[:-1]), strict=True):
            gradients += [back.sum(axis=0), below.T @ back]
            back = (back @ weights.T) * (1 - below**2 if net.smooth else below > 0)
        for place, gradient in enumerate(reversed(gradients)):
            first, second = moments[place]
            first += 0.1 * (gradient - first)
            second += 0.01 * (gradient**2 - second)
            rate = 0.01 * np.sqrt(1 - 0.99**step) / (1 - 0.9**step)
            parameters[place] -= rate * first / (np.sqrt(second) + 1e-8)
    return Network(tuple(zip(parameters[::2], parameters[1::2], strict=True)), net.smooth)


@dataclass(frozen=True)
class Labelled:
    """Points (r, d) near a random subspace; the label of each is the largest of linear functions of its place there."""

    embedding: Array
    teacher: Array
    noise: float = 0.2

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        """Points float32 (count, d) and labels int64 (count,)."""
        latent = rng.standard_normal((count, len(self.embedding)))
        points = latent @ self.embedding + self.noise * rng.standard_normal((count, self.embedding.shape[1]))
        return points.astype(np.float32), (latent @ self.teacher).argmax(axis=1)


def labelled(rng: np.random.Generator, d: int, latent: int, classes: int) -> Labelled:
    """Coordinates of the points have a variance of about 1."""
    axes = np.linalg.qr(rng.standard_normal((d, latent)))[0].T
    return Labelled(axes * np.sqrt(d / latent), rng.standard_normal((latent, classes)))


def rounded_margin(logits: Array, labels: Array) -> Array:
    """Mean over the points of the label's lead, kept in [-1, 1] and rounded to tenths: (N, b, c), (b,) to (N,)."""
    place = np.broadcast_to(labels[:, None], (*logits.shape[:2], 1))
    own = np.take_along_axis(logits, place, axis=2)[:, :, 0]
    others = logits.astype(np.float64)
    np.put_along_axis(others, place, -np.inf, axis=2)
    return np.round(np.clip(own - others.max(axis=2), -1, 1), 1).mean(axis=1)


def three_layers(weights: list[Array], points: Array) -> Array:
    """W3 tanh(W2 tanh(W1 x)) of every row x: (r, d) to (r, c)."""
    first, second, last = weights
    return np.tanh(np.tanh(points @ first.T) @ second.T) @ last.T
