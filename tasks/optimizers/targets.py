"""Training losses that are costly functions of a cheap model's outputs, one hidden function a sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

HIDDEN = 32


@dataclass(frozen=True)
class Losses:
    """l_i(z) of samples ``rows`` (b,) at outputs z (b,): ``value`` and ``slope`` (b,); curvatures are at most one."""

    value: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Fitting:
    """Mean over samples of l_i(z_i(theta)), z = A theta or a perceptron's; ``least`` is the lowest value known."""

    inputs: Array
    model: str
    losses: Losses
    start: Array
    least: float

    def objective(self, theta: Array) -> float:
        z, _ = outputs(self.model, theta, self.inputs)
        return float(self.losses.value(z, np.arange(len(z))).mean())

    def gap(self, theta: Array) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            return (self.objective(theta) - self.least) / (self.objective(self.start) - self.least)


def outputs(model: str, theta: Array, inputs: Array) -> tuple[Array, Callable[[Array], Array]]:
    """z (b,) of the inputs (b, p), and the map from dl/dz (b,) to dl/dtheta (d,).

    The perceptron is tanh(A W + b) w + c with W (p, 32), b (32,), w (32,), c flattened in this order into theta.
    """
    if model == "linear":
        return inputs @ theta, lambda slopes: inputs.T @ slopes
    p = inputs.shape[1]
    first, bias = theta[: p * HIDDEN].reshape(p, HIDDEN), theta[p * HIDDEN : -HIDDEN - 1]
    second = theta[-HIDDEN - 1 : -1]
    hidden = np.tanh(inputs @ first + bias)

    def pulled(slopes: Array) -> Array:
        back = slopes[:, None] * second * (1 - hidden**2)
        return np.concatenate([(inputs.T @ back).ravel(), back.sum(axis=0), hidden.T @ slopes, [slopes.sum()]])

    return hidden @ second + theta[-1], pulled


def huber(rng: np.random.Generator, wanted: Array) -> Losses:
    """s^2 (sqrt(1 + ((z - t) / s)^2) - 1): each sample forgives residuals above its own s."""
    size = 10 ** rng.uniform(-0.3, 0.3, wanted.size)

    def root(z: Array, rows: Array) -> Array:
        return np.sqrt(1 + ((z - wanted[rows]) / size[rows]) ** 2)

    return Losses(
        lambda z, rows: size[rows] ** 2 * (root(z, rows) - 1), lambda z, rows: (z - wanted[rows]) / root(z, rows)
    )


def lopsided(rng: np.random.Generator, wanted: Array) -> Losses:
    """A log cosh that weighs one sign of the residual less: each sample wants a quantile of its own."""
    above, below = rng.uniform(0.2, 1, (2, wanted.size))

    def weight(z: Array, rows: Array) -> Array:
        return np.where(z > wanted[rows], above[rows], below[rows])

    def value(z: Array, rows: Array) -> Array:
        far = np.abs(z - wanted[rows])
        return weight(z, rows) * (far + np.log1p(np.exp(-2 * far)) - np.log(2))

    return Losses(value, lambda z, rows: weight(z, rows) * np.tanh(z - wanted[rows]))


def labels(rng: np.random.Generator, wanted: Array) -> Losses:
    """4 log(1 + exp(-y z)) with labels of the wanted sign, one in ten of them flipped."""
    sign = np.where(rng.random(wanted.size) < 0.1, -1.0, 1.0) * np.sign(wanted)
    return Losses(
        lambda z, rows: 4 * np.logaddexp(0, -sign[rows] * z),
        lambda z, rows: -4 * sign[rows] / (1 + np.exp(np.clip(sign[rows] * z, -500, 500))),
    )


def imitation(rng: np.random.Generator, wanted: Array) -> Losses:
    """z is a control that a hidden linear system of two steps turns into a state, which shall be an expert's."""
    response = rng.uniform(0.3, 0.7, (wanted.size, 2))

    def value(z: Array, rows: Array) -> Array:
        return 0.5 * (response[rows] ** 2).sum(axis=1) * (z - wanted[rows]) ** 2

    return Losses(value, lambda z, rows: (response[rows] ** 2).sum(axis=1) * (z - wanted[rows]))


def fitting(
    rng: np.random.Generator,
    model: str,
    kind: Callable[[np.random.Generator, Array], Losses],
    n: int,
    p: int,
) -> Fitting:
    """Inputs with sizes over one and a half decades; wanted outputs are those of a model of this kind, plus noise."""
    from scipy.optimize import minimize

    inputs = rng.standard_normal((n, p)) * 10 ** rng.uniform(-1, 0.5, p)
    if model == "linear":
        truth, start = rng.standard_normal(p), np.zeros(p)
    else:
        truth, start = (_initial(rng, p, np.abs(inputs).mean(axis=0)) for _ in range(2))
    wanted = outputs(model, truth, inputs)[0] + 0.2 * rng.standard_normal(n)
    losses, every = kind(rng, wanted), np.arange(n)

    def both(theta: Array) -> tuple[float, Array]:
        z, pulled = outputs(model, theta, inputs)
        return float(losses.value(z, every).mean()), pulled(losses.slope(z, every) / n)

    options = {"maxiter": 2000, "maxfun": 3000, "ftol": 1e-12, "gtol": 1e-8}
    starts = [start] if model == "linear" else [start, truth]
    least = min(float(minimize(both, at, jac=True, method="L-BFGS-B", options=options).fun) for at in starts)
    return Fitting(inputs, model, losses, start, least)


def _initial(rng: np.random.Generator, p: int, sizes: Array) -> Array:
    """Weights with which the hidden units see all inputs at about the same size, and outputs of about one."""
    first = rng.standard_normal((p, HIDDEN)) / (sizes[:, None] * np.sqrt(p))
    second = rng.standard_normal(HIDDEN) / np.sqrt(HIDDEN)
    return np.concatenate([first.ravel(), np.zeros(HIDDEN), 2 * second, [0.0]])
