"""Discrete optimal transport problems: a cost matrix scaled to maximum 1 and two positive marginals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Problem = tuple[Array, Array, Array]
"""C (n, m), a (n,), b (m,); both marginals sum to 1."""


def assignment(rng: np.random.Generator, n: int, gap: float) -> tuple[Problem, float]:
    """Uniform random costs and uniform marginals: for small ``eps`` a random assignment problem; with its 1/eps.

    At one ``eps`` Sinkhorn's rate varies by orders of magnitude between draws. Here ``eps`` is chosen for each draw so
    that its spectral gap is ``gap`` within 5 %; plain Sinkhorn then needs about log(first error / tolerance) / gap
    iterations. The gap's logarithm falls almost linearly in 1/eps, so that a few secant steps find it.
    """
    while True:
        problem = _scaled(rng.random((n, n)), np.ones(n), np.ones(n))
        sharpness = _sharpness(problem, gap)
        if sharpness is not None:
            return problem, sharpness


def _sharpness(problem: Problem, gap: float) -> float | None:
    """1/eps at which the problem has the spectral gap, or None where secant steps do not find it."""
    sharpness, before = float(len(problem[1])), 0.0
    error, error_before = _log_ratio(problem, sharpness, gap), -np.log(gap)
    for _ in range(12):
        if abs(error) < 0.05:
            return sharpness
        slope = (error - error_before) / (sharpness - before)
        if not slope < 0:
            return None
        before, error_before = sharpness, error
        sharpness = float(np.clip(sharpness - error / slope, 0.5 * sharpness, 2 * sharpness))
        error = _log_ratio(problem, sharpness, gap)
    return None


def _log_ratio(problem: Problem, sharpness: float, gap: float) -> float:
    found = spectral_gap(problem, 1 / sharpness)
    return float(np.log(found / gap)) if found > 0 else float("nan")


def spectral_gap(problem: Problem, eps: float) -> float:
    """One minus Sinkhorn's linear rate; NaN where the plan is not found by 300 sweeps and 12 Newton steps."""
    costs, a, b = problem
    kernel = np.exp((costs.min(1, keepdims=True) - costs) / eps)
    u, v = np.ones_like(a), np.ones_like(b)
    for _ in range(300):
        u = a / (kernel @ v)
        v = b / (kernel.T @ u)
    plan = u[:, None] * kernel * v
    for _ in range(12):
        r, c = plan.sum(1), plan.sum(0)
        schur = np.diag(c) - plan.T @ (plan / r[:, None])
        if np.abs(r - a).sum() + np.abs(c - b).sum() < 1e-10:
            scale = c**-0.5
            return float(np.linalg.eigvalsh(scale[:, None] * schur * scale)[1])
        dy = np.linalg.solve(schur + np.outer(b, b), (b - c) - plan.T @ ((a - r) / r))
        dx = (a - r - plan @ dy) / r
        if not max(np.abs(dx).max(), np.abs(dy).max()) < 50:
            break
        plan = plan * np.exp(dx[:, None] + dy)
    return float("nan")


def images(rng: np.random.Generator, side: int, power: int) -> Problem:
    """Two random images of side x side pixels (three bumps on a faint ground), cost = distance ** power."""
    axis = np.linspace(0, 1, side)
    pixels = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    return _scaled(_squared_distances(pixels, pixels) ** (power / 2), _bumps(rng, pixels), _bumps(rng, pixels))


def clouds(rng: np.random.Generator, n: int) -> Problem:
    """Two weighted Gaussian clouds in the plane, the second smaller and moved; squared distances."""
    first, second = rng.normal(size=(n, 2)), 0.7 * rng.normal(size=(n, 2)) + 0.5
    return _scaled(_squared_distances(first, second), rng.uniform(0.2, 1.2, n), rng.uniform(0.2, 1.2, n))


def _bumps(rng: np.random.Generator, pixels: Array) -> Array:
    centres, widths = rng.random((3, 2)), rng.uniform(0.05, 0.15, 3)
    return np.exp(-_squared_distances(pixels, centres) / (2 * widths**2)).sum(1) + 0.02


def _squared_distances(x: Array, y: Array) -> Array:
    return ((x[:, None] - y[None]) ** 2).sum(-1)


def _scaled(costs: Array, a: Array, b: Array) -> Problem:
    return costs / costs.max(), a / a.sum(), b / b.sum()


CLOUD_KINDS = ("bimodal", "stretched", "moved")


def cloud_pairs(rng: np.random.Generator, kind: str, pairs: int, points: int, d: int) -> tuple[Array, Array, Array]:
    """Clouds X, Y (pairs, points, d) that differ along a direction u (pairs, d), of length 1, of each pair's own.

    X is standard normal, and so is Y before its points are moved along u: by 2 or -2 (``bimodal``), by a normal length
    of deviation 2 (``stretched``), or by 2.4 or -1.6 (``moved``). u is then the location of the largest v-DSW.
    """
    u = rng.standard_normal((pairs, d))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    X, Y = rng.standard_normal((2, pairs, points, d))
    length = rng.standard_normal((pairs, points))
    move = 2 * length if kind == "stretched" else np.where(length > 0, 2.0, -2.0) + (0.4 if kind == "moved" else 0.0)
    return X, Y + move[:, :, None] * u[:, None], u


def von_mises_fisher(rng: np.random.Generator, location: Array, kappa: float, count: int) -> Array:
    """Directions (pairs, count, d) around each location (pairs, d), |location| = 1, by the sampler of Wood (1994)."""
    pairs, d = location.shape
    b = (d - 1) / (2 * kappa + np.sqrt(4 * kappa**2 + (d - 1) ** 2))
    x0 = (1 - b) / (1 + b)
    c = kappa * x0 + (d - 1) * np.log(1 - x0**2)
    cosine = np.full((pairs, count), np.nan)
    while (missing := np.isnan(cosine)).any():
        z = rng.beta((d - 1) / 2, (d - 1) / 2, missing.sum())
        w = (1 - (1 + b) * z) / (1 - (1 - b) * z)
        accepted = kappa * w + (d - 1) * np.log(1 - x0 * w) - c >= np.log(rng.random(w.size))
        cosine[missing] = np.where(accepted, w, np.nan)
    across = rng.standard_normal((pairs, count, d))
    across -= (across @ location[:, :, None]) * location[:, None]
    across /= np.linalg.norm(across, axis=2, keepdims=True)
    return cosine[..., None] * location[:, None] + np.sqrt(1 - cosine[..., None] ** 2) * across


def sliced_distance(X: Array, Y: Array, directions: Array) -> Array:
    """Squared Wasserstein distances (pairs, count) of the clouds (pairs, points, d) along (pairs, count, d)."""
    turned = directions.transpose(0, 2, 1)
    return ((np.sort(X @ turned, axis=1) - np.sort(Y @ turned, axis=1)) ** 2).mean(axis=1)


def tokens_and_experts(rng: np.random.Generator, kind: str, experts: int, tokens: int) -> Problem:
    """Squared distances of experts (rows) to tokens in eight dimensions, with uniform marginals.

    Tokens lie about the experts, each expert as often (``even``) or some far more often than others (``crowded``), or
    in twenty tight groups of their own (``grouped``).
    """
    centres = rng.standard_normal((experts, 8))
    if kind == "grouped":
        groups = rng.standard_normal((20, 8))
        points = groups[rng.integers(0, 20, tokens)] + 0.3 * rng.standard_normal((tokens, 8))
    else:
        popularity = np.full(experts, 1 / experts) if kind == "even" else rng.dirichlet(np.full(experts, 0.5))
        points = 0.7 * centres[rng.choice(experts, tokens, p=popularity)] + rng.standard_normal((tokens, 8))
    return _scaled(_squared_distances(centres, points), np.ones(experts), np.ones(tokens))


@dataclass(frozen=True)
class Bridge:
    """A plan whose conditionals are mixtures: pi(y | x) = sum_k w_k(x) N(y | r_k + S_k x, eps S_k), x standard normal.

    It is the entropic plan between its own marginals, since its density is a function of x times one of y times
    exp(<x, y> / eps). ``r`` and ``S`` (the diagonals) have shape (components, d).
    """

    r: Array
    S: Array
    eps: float

    def weights(self, x: Array) -> Array:
        """w (points, components), where x is (points, d)."""
        scores = (x**2 @ self.S.T + 2 * x @ self.r.T) / (2 * self.eps)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def sample(self, rng: np.random.Generator, x: Array) -> Array:
        """One y for each x: shape (points, d)."""
        passed = self.weights(x).cumsum(axis=1) < rng.random((len(x), 1))
        k = np.minimum(passed.sum(axis=1), len(self.r) - 1)
        return self.r[k] + self.S[k] * x + np.sqrt(self.eps * self.S[k]) * rng.standard_normal(x.shape)

    def moments(self, x: Array) -> tuple[Array, Array]:
        """Means (points, d) and covariances (points, d, d) of the conditionals."""
        w, centres = self.weights(x), self.r + self.S * x[:, None]
        mean = np.einsum("nk,nkd->nd", w, centres)
        apart = centres - mean[:, None]
        covariance = np.einsum("nk,nki,nkj->nij", w, apart, apart)
        diagonal = np.arange(x.shape[1])
        covariance[:, diagonal, diagonal] += self.eps * w @ self.S
        return mean, covariance


def bridge(rng: np.random.Generator, d: int, eps: float) -> Bridge:
    """Five components with centres at distance 2 from the origin and diagonals between 0.1 and 0.5."""
    r = rng.standard_normal((5, d))
    return Bridge(2 * r / np.linalg.norm(r, axis=1, keepdims=True), rng.uniform(0.1, 0.5, (5, d)), eps)


def bures_wasserstein(mean: Array, covariance: Array, other_mean: Array, other_covariance: Array) -> Array:
    """Squared distances of Gaussians, shape (count,): means (count, d), covariances (count, d, d)."""
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(values.clip(0))[:, None]) @ vectors.transpose(0, 2, 1)
    cross = np.sqrt(np.linalg.eigvalsh(root @ other_covariance @ root).clip(0)).sum(axis=1)
    traces = np.trace(covariance + other_covariance, axis1=1, axis2=2)
    return ((mean - other_mean) ** 2).sum(axis=1) + (traces - 2 * cross).clip(0)


@dataclass(frozen=True)
class ConvexMap:
    """T(x) = B^-1 (A x + W' (a * sigmoid(3 (W x + b)))): optimal for the cost (x - y)' B (x - y) / 2.

    The bracket is the gradient of a convex function, since A is positive definite and a positive (Brenier's theorem
    after the change of variables by B^1/2). B, A have shape (d, d), W (ridges, d), a and b (ridges,).
    """

    B: Array
    A: Array
    W: Array
    a: Array
    b: Array

    def __call__(self, x: Array) -> Array:
        """Images (points, d) of x (points, d)."""
        ridges = self.a / (1 + np.exp(-3 * (x @ self.W.T + self.b)))
        return (x @ self.A + ridges @ self.W) @ np.linalg.inv(self.B)


def convex_map(rng: np.random.Generator, d: int, skewed: bool) -> ConvexMap:
    """A random map with 2 d ridges; where not ``skewed`` the cost is the squared distance (B the identity)."""
    W = rng.standard_normal((2 * d, d))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    root = rng.standard_normal((d, d)) / np.sqrt(d)
    B = _random_rotation(rng, d, np.exp(rng.uniform(-1, 1, d))) if skewed else np.eye(d)
    return ConvexMap(B, 0.2 * np.eye(d) + 0.2 * root @ root.T, W, rng.uniform(0.5, 2, 2 * d), rng.normal(0, 0.5, 2 * d))


def _random_rotation(rng: np.random.Generator, d: int, values: Array) -> Array:
    """A symmetric matrix with these eigenvalues."""
    vectors = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return (vectors * values) @ vectors.T


def clusters(rng: np.random.Generator, d: int, count: int) -> Callable[[int], Array]:
    """A sampler of points (points, d): standard normal ones, or a mixture of ``count`` narrower Gaussians."""
    centres = 1.2 * rng.standard_normal((count, d)) if count > 1 else np.zeros((1, d))
    width = 0.6 if count > 1 else 1.0
    return lambda points: centres[rng.integers(0, count, points)] + width * rng.standard_normal((points, d))
