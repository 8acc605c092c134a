"""Discrete optimal transport problems: a cost matrix scaled to maximum 1 and two positive marginals."""

from __future__ import annotations

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
