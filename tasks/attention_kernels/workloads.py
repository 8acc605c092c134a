"""Queries, keys and values for attention over pairs of keys, with bounded entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def tensor_attention_inputs(rng: np.random.Generator, kind: str, n: int, d: int, bound: float) -> dict[str, Array]:
    """Q, K1, K2 and V1, V2, each (n, d): ``spread`` over [-bound, bound], ``clustered`` keys, or ``few large`` ones.

    ``few large``: one entry in fifty of each of the first three keeps its size, the others have 0.7 of it.
    """
    Q, K1, K2 = (rng.uniform(-bound, bound, (n, d)) for _ in range(3))
    if kind == "clustered":
        centres = rng.uniform(-0.8 * bound, 0.8 * bound, (2, 8, d))
        K1, K2 = (
            np.clip(centre[rng.integers(0, 8, n)] + rng.normal(0, 0.1, (n, d)), -bound, bound) for centre in centres
        )
    elif kind == "few large":
        Q, K1, K2 = (matrix * np.where(rng.random((n, d)) < 0.02, 1.0, 0.7) for matrix in (Q, K1, K2))
    V1, V2 = (rng.normal(1.0, 1.0, (n, d)) for _ in range(2))
    return {"Q": Q, "K1": K1, "K2": K2, "V1": V1, "V2": V2}


def tensor_attention(Q: Array, K1: Array, K2: Array, V1: Array, V2: Array) -> Array:
    """The exact output (n, d) in O(n^3 d): sum_jk A_ijk V1_j V2_k / sum_jk A_ijk, A = exp(<Q_i, K1_j, K2_k> / d)."""
    n, d = Q.shape
    output = np.zeros((n, d))
    for i in range(n):
        weights = np.exp((K1 * (Q[i] / d)) @ K2.T)
        output[i] = np.einsum("jl,jl->l", V1, weights @ V2) / weights.sum()
    return output


def softmax_inputs(rng: np.random.Generator, n: int) -> Array:
    """Six rows float32 (6, n): normal, normal of deviation 30, even over +-1e4, one outlier, ascending, all equal."""
    outlier = rng.normal(0, 1, n)
    outlier[rng.integers(n)] = rng.uniform(1e3, 3e4)
    rows = (
        rng.normal(0, 1, n),
        rng.normal(0, 30, n),
        rng.uniform(-1e4, 1e4, n),
        outlier,
        np.linspace(-200, 200, n) + rng.uniform(-50, 50),
        np.full(n, rng.uniform(-1e4, 1e4)),
    )
    return np.stack(rows).astype(np.float32)


@dataclass(frozen=True)
class Heads:
    """Attention heads whose score of query i and key j <= i is q_i . k_j / sqrt(dh) - slope (i - j).

    ``common`` (heads, dh) is the mean of a head's queries. Keys of the first ``sinks`` tokens point along it, so that
    their scores are about ``strength`` (heads,); heads with ``topics`` (heads, kinds, dh), which are zero for the
    others, look for their like.
    """

    slopes: Array
    common: Array
    strength: Array
    topics: Array
    sinks: int = 4

    def queries_and_keys(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        """Q and K (heads, n, dh) on a fresh text."""
        heads, kinds, d = self.topics.shape
        about = self.topics[:, rng.integers(0, kinds, n)]
        Q = self.common[:, None] + about + rng.standard_normal((heads, n, d))
        K = about + rng.standard_normal((heads, n, d))
        unit = self.common / np.linalg.norm(self.common, axis=1, keepdims=True)
        # Scores of the sinks have mean ``strength``, since queries have length |common| along ``unit``.
        scale = self.strength * np.sqrt(d) / np.linalg.norm(self.common, axis=1)
        K[:, : self.sinks] = (scale[:, None] * unit)[:, None] + 0.5 * rng.standard_normal((heads, self.sinks, d))
        return Q, K

    def scores(self, Q: Array, K: Array) -> Array:
        """(heads, n, n); those of later keys mean nothing."""
        place = np.arange(Q.shape[1])
        return Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[2]) - self.slopes[:, None, None] * (place[:, None] - place)


def long_context_heads(rng: np.random.Generator, n: int, strength: float, far: int) -> Heads:
    """Eight heads for texts of n tokens; ``far`` of them, at random, have topics and no penalty on distance.

    The others' attention decays over n / 32 to n / 4 tokens. Sinks are ``strength`` above other keys, give or take.
    """
    slopes, topics = 1 / np.exp(rng.uniform(np.log(n / 32), np.log(n / 4), 8)), np.zeros((8, 12, 16))
    looking = rng.choice(8, far, replace=False)
    slopes[looking] = 0.0
    topics[looking] = 1.2 * rng.standard_normal((far, 12, 16))
    return Heads(slopes, rng.standard_normal((8, 16)), strength * rng.uniform(0.6, 1.4, 8), topics)


def attention_output(scores: Array, V: Array, mask: Array) -> Array:
    """Softmax over the scores where the mask is True, times V: shape (heads, n, dh)."""
    kept = np.where(mask, scores, -np.inf)
    weights = np.exp(kept - kept.max(axis=2, keepdims=True))
    return weights @ V / weights.sum(axis=2, keepdims=True)


@dataclass(frozen=True)
class AttentionErm:
    """Classification by one-layer attention: f_i(W) = y_i v' X_i' softmax(X_i W z_i), loss mean log(1 + exp(-f_i)).

    Several data sets are kept together: tokens X (sets, n, T, d) of length 1, queries z (sets, n, d), and the tokens'
    relevance y_i v' x_it (sets, n, T). W is (sets, d, d).
    """

    X: Array
    z: Array
    relevance: Array

    def direction(self, W: Array) -> Array:
        """The loss's gradient in W, divided by its norm (zero where it underflows).

        The softmax's derivative is summed over differences of relevance, so that it does not cancel where one token has
        almost all of the weight.
        """
        attended = self.attention(W)
        right = (attended * self.relevance).sum(axis=2)
        apart = self.relevance[..., :, None] - self.relevance[..., None, :]
        slope = -attended * (apart @ attended[..., None])[..., 0] / (1 + np.exp(right))[..., None]
        largest = np.abs(slope).max(axis=(1, 2), keepdims=True)
        slope = np.divide(slope, largest, out=np.zeros_like(slope), where=largest > 0)
        gradient = (slope[:, :, None] @ self.X)[:, :, 0].transpose(0, 2, 1) @ self.z
        length = np.sqrt((gradient**2).sum(axis=(1, 2), keepdims=True))
        return np.divide(gradient, length, out=np.zeros_like(gradient), where=length > 0)

    def attention(self, W: Array) -> Array:
        """Softmax of the scores x_it' W z_i: shape (sets, n, T)."""
        scores = (self.X @ (self.z @ W.transpose(0, 2, 1))[..., None])[..., 0]
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        return weights / weights.sum(axis=2, keepdims=True)

    def descended(self, steps: int, length: float) -> Array:
        """W after ``steps`` of normalised gradient descent from zero, each ``length`` long."""
        W = np.zeros((len(self.X), self.X.shape[3], self.X.shape[3]))
        for _ in range(steps):
            W -= length * self.direction(W)
        return W


def attention_erm(rng: np.random.Generator, sets: int, n: int, T: int, d: int) -> AttentionErm:
    """Random tokens on the sphere; each text's query is its first token; a random head and random labels."""
    X = rng.standard_normal((sets, n, T, d))
    X /= np.linalg.norm(X, axis=3, keepdims=True)
    v = rng.standard_normal((sets, d, 1))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    labels = rng.choice([-1.0, 1.0], (sets, n, 1))
    return AttentionErm(X, X[:, :, 0].copy(), labels * (X @ v[:, None])[..., 0])


def logit_matrices(rng: np.random.Generator, kind: str, count: int) -> Array:
    """Logits (count, 8, 8): entries 0, 1/2 or 1 (``grid``), ``normal``, or ``products`` of queries and keys."""
    if kind == "grid":
        return rng.integers(0, 3, (count, 8, 8)) / 2
    if kind == "normal":
        return 0.6 * rng.standard_normal((count, 8, 8))
    Q, K = rng.standard_normal((2, count, 8, 4))
    return 0.6 * Q @ K.transpose(0, 2, 1) / 2
