"""Models with continuous and binary unknowns, and the mean-field families that approximate their posteriors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, xlogy

Array = np.ndarray[Any, Any]
DEGREES = 4.0
"""Of freedom of the Student-t noise."""


@dataclass(frozen=True)
class Model:
    """A log density as a sum of terms over z (r, continuous), standard normal a priori, and b (r, binary) in {0, 1}.

    ``touched[k]`` are the numbers of the terms that depend on b_k. ``terms`` maps (z, b) to (r, terms), ``gradient`` to
    the gradient (r, continuous) of their sum with respect to z.
    """

    continuous: int
    binary: int
    touched: list[list[int]]
    terms: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]


@dataclass(frozen=True)
class MeanField:
    """Independent normals and Bernoullis: ``mean`` and ``log_sd`` (continuous,), ``logits`` (binary,)."""

    mean: Array
    log_sd: Array
    logits: Array

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Array, Array, Array]:
        """z, b, and the standard normals that made z."""
        noise = rng.standard_normal((count, self.mean.size))
        b = rng.random((count, self.logits.size)) < expit(self.logits)
        return self.mean + np.exp(self.log_sd) * noise, b.astype(np.float64), noise

    def entropy(self) -> float:
        p = expit(self.logits)
        binary = -(p * log_expit(self.logits) + (1 - p) * log_expit(-self.logits)).sum()
        return float(self.log_sd.sum() + 0.5 * self.mean.size * np.log(2 * np.pi * np.e) + binary)


def elbo(model: Model, q: MeanField, seed: int, count: int) -> float:
    """E_q[log density] + entropy by ``count`` samples, the same for all q of a size and a ``seed``."""
    z, b, _ = q.draw(np.random.default_rng(seed), count)
    return float(model.terms(z, b).sum(axis=1).mean()) + q.entropy()


def _normal(residual: Array, sd: float) -> Array:
    return -0.5 * (residual / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)


def _prior(z: Array) -> Array:
    """(r, 1)."""
    return _normal(z, 1.0).sum(axis=1, keepdims=True)


def _binary(b: Array, share: float) -> Array:
    return xlogy(b, share) + xlogy(1 - b, 1 - share)


def switched_regression(rng: np.random.Generator, continuous: int, binary: int, observations: int) -> Model:
    """y = 1.5 tanh(A z) + C b + noise: every observation depends on all unknowns."""
    a = 1.5 * rng.standard_normal((observations, continuous)) / np.sqrt(continuous)
    c, sd, share = 1.5 * rng.standard_normal((observations, binary)), 0.6, 0.4
    y = 1.5 * np.tanh(a @ rng.standard_normal(continuous)) + c @ (rng.random(binary) < share)
    y = y + sd * rng.standard_normal(observations)

    def terms(z: Array, b: Array) -> Array:
        residual = y - 1.5 * np.tanh(z @ a.T) - b @ c.T
        return np.hstack([_normal(residual, sd), _prior(z), _binary(b, share)])

    def gradient(z: Array, b: Array) -> Array:
        bent = np.tanh(z @ a.T)
        residual = y - 1.5 * bent - b @ c.T
        return (1.5 * residual * (1 - bent**2)) @ a / sd**2 - z

    every = list(range(observations))
    return Model(continuous, binary, [[*every, observations + 1 + k] for k in range(binary)], terms, gradient)


def assignments(rng: np.random.Generator, width: int, points: int) -> Model:
    """Points in ``width`` dimensions around one of two centres, with Student-t noise: b_i assigns point i alone.

    A centre is its own prior mean plus three times its part of z.
    """
    around, sd, share = 1.5 * rng.standard_normal((2, width)), 0.8, 0.4
    centres = around + 3 * rng.standard_normal((2, width))
    truth = rng.random(points) < share
    y = centres[truth.astype(int)] + sd * rng.standard_t(DEGREES, (points, width))

    def residuals(z: Array) -> Array:
        """(r, 2, points, width)."""
        return (y - (around + 3 * z.reshape(-1, 2, width))[:, :, None]) / sd

    def terms(z: Array, b: Array) -> Array:
        log_t = -0.5 * (DEGREES + 1) * np.log1p(residuals(z) ** 2 / DEGREES).sum(axis=3)
        return np.hstack([np.where(b > 0.5, log_t[:, 1], log_t[:, 0]) + _binary(b, share), _prior(z)])

    def gradient(z: Array, b: Array) -> Array:
        u = residuals(z)
        slopes = (DEGREES + 1) * u / (DEGREES + u**2) * 3 / sd
        chosen = np.stack([1 - b, b], axis=1)[..., None]
        return (slopes * chosen).sum(axis=2).reshape(len(z), -1) - z

    return Model(2 * width, points, [[k] for k in range(points)], terms, gradient)


def spike_and_slab(rng: np.random.Generator, sites: int) -> Model:
    """y = X (z * b) + noise with most b zero; observation i depends on three sites in a row, as in a blurred signal."""
    observations, sd, share = 2 * sites, 0.5, 0.3
    apart = np.abs(np.arange(observations)[:, None] / 2 - np.arange(sites))
    x = np.where(apart < 1.5, rng.standard_normal((observations, sites)), 0.0)
    y = x @ (1.5 * rng.standard_normal(sites) * (rng.random(sites) < share)) + sd * rng.standard_normal(observations)

    def terms(z: Array, b: Array) -> Array:
        return np.hstack([_normal(y - 1.5 * (z * b) @ x.T, sd), _prior(z), _binary(b, share)])

    def gradient(z: Array, b: Array) -> Array:
        return 1.5 * ((y - 1.5 * (z * b) @ x.T) @ x) * b / sd**2 - z

    touched = [[*np.flatnonzero(x[:, k]).tolist(), observations + 1 + k] for k in range(sites)]
    return Model(sites, sites, touched, terms, gradient)


def long_fit(model: Model, seed: int, steps: int, samples: int) -> MeanField:
    """Adam with a falling rate on gradients by reparametrisation (z) and enumeration (each b_k, the others sampled)."""
    d, k, rng = model.continuous, model.binary, np.random.default_rng(seed)
    parameters = np.zeros(2 * d + k)
    parameters[d : 2 * d] = -0.5
    first, second = np.zeros_like(parameters), np.zeros_like(parameters)
    for step in range(1, steps + 1):
        q = MeanField(parameters[:d], parameters[d : 2 * d], parameters[2 * d :])
        z, b, noise = q.draw(rng, samples)
        slope = model.gradient(z, b)
        p = expit(q.logits)
        parts = [
            slope.mean(0),
            (slope * np.exp(q.log_sd) * noise).mean(0) + 1,
            p * (1 - p) * (_lifts(model, z, b) - q.logits),
        ]
        gradient = np.concatenate(parts)
        first += 0.1 * (gradient - first)
        second += 0.01 * (gradient**2 - second)
        rate = 0.1 * (1 - step / (steps + 1)) * np.sqrt(1 - 0.99**step) / (1 - 0.9**step)
        parameters = parameters + rate * first / (np.sqrt(second) + 1e-8)
    return MeanField(parameters[:d], parameters[d : 2 * d], parameters[2 * d :])


def _lifts(model: Model, z: Array, b: Array) -> Array:
    """Mean of log density at b_k = 1 minus at b_k = 0, the others as they are: (binary,)."""
    if all(len(own) == 1 for own in model.touched):
        apart = model.terms(z, np.ones_like(b)) - model.terms(z, np.zeros_like(b))
        return apart[:, [own[0] for own in model.touched]].mean(axis=0)
    lifts = np.empty(model.binary)
    for k in range(model.binary):
        on, off = b.copy(), b.copy()
        on[:, k], off[:, k] = 1.0, 0.0
        lifts[k] = (model.terms(z, on) - model.terms(z, off)).sum(axis=1).mean()
    return lifts
