"""Routing traces of sparse mixtures of experts, in the form of scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Routing:
    """A stream of batches: ``affinities`` (steps, tokens, experts) in (0, 1), of which each token takes ``chosen``."""

    affinities: Array
    chosen: int

    @property
    def steps(self) -> int:
        return self.affinities.shape[0]

    @property
    def tokens(self) -> int:
        return self.affinities.shape[1]

    @property
    def experts(self) -> int:
        return self.affinities.shape[2]


def routing(rng: np.random.Generator, experts: int, chosen: int, tokens: int, steps: int) -> Routing:
    """Affinity = sigmoid(token's latent z V + popularity of the expert + noise), independent over tokens."""
    width = 6
    popularity = rng.uniform(0.5, 1.5) * rng.standard_normal(experts)
    mixing = (rng.standard_normal((width, experts)) / np.sqrt(width)).astype(np.float32)
    latent = rng.standard_normal((steps, tokens, width), dtype=np.float32)
    noise = 0.3 * rng.standard_normal((steps, tokens, experts), dtype=np.float32)
    return Routing(1.0 / (1.0 + np.exp(-(latent @ mixing + popularity.astype(np.float32) + noise))), chosen)


def dual(affinities: Array, bias: Array, chosen: int) -> tuple[float, Array]:
    """The dual function of balanced routing on one batch, and the loads under ``bias``.

    f(p) = (sum over tokens of the top-k sum of (gamma + p) - L sum over experts of p) / N with L = N k / E; convex, and
    its minimiser balances the expected loads (paper, section 3).
    """
    tokens, experts = affinities.shape
    biased = affinities + bias
    top = np.argpartition(biased, experts - chosen, axis=1)[:, experts - chosen :]
    value = np.take_along_axis(biased, top, axis=1).sum() - tokens * chosen / experts * bias.sum()
    return float(value) / tokens, np.bincount(top.ravel(), minlength=experts)


def offline_optimum(problem: Routing) -> Array:
    """Bias (E,) that minimises the dual over all batches: stochastic gradient over three passes, the last averaged."""
    bias = np.zeros(problem.experts)
    total = np.zeros(problem.experts)
    even = problem.tokens * problem.chosen / problem.experts
    for count in range(3 * problem.steps):
        load = dual(problem.affinities[count % problem.steps], bias, problem.chosen)[1]
        bias = bias + 8.0 / (count + 20) * (even - load) / problem.tokens
        bias -= bias.mean()
        if count >= 2 * problem.steps:
            total += bias
    return total / problem.steps
