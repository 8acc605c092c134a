"""Points in the plane, a 2-opt tour through them, and a lower bound on the length of every tour."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]
Layout = Literal["uniform", "clustered", "explosion"]
BOUND_STEPS = 100


def cities(rng: np.random.Generator, layout: Layout, n: int) -> Array:
    """Points (n, 2). ``explosion``: those near a random centre are thrown out of a disc around it (Bossek 2019)."""
    if layout == "clustered":
        centres = rng.random((max(n // 25, 2), 2))
        return centres[rng.integers(0, len(centres), n)] + rng.normal(0, 0.05, (n, 2))
    xy = rng.random((n, 2))
    if layout == "explosion":
        away = xy - rng.uniform(0.3, 0.7, 2)
        radius = np.hypot(away[:, 0], away[:, 1])
        inside = radius < 0.3
        thrown = 0.3 + rng.exponential(0.1, n)
        xy[inside] += away[inside] * ((thrown - radius) / radius)[inside, None]
    return xy


def distance_matrix(xy: Array) -> Array:
    """Euclidean distances (n, n) of the points (n, 2)."""
    return np.hypot(xy[:, None, 0] - xy[:, 0], xy[:, None, 1] - xy[:, 1])


def tour_length(distances: Array, tour: Array) -> float:
    """Length of the closed tour (n,)."""
    return float(distances[tour, np.roll(tour, -1)].sum())


def two_opt_tour(distances: Array) -> Array:
    """A tour (n,) that no reversal of a stretch shortens: the nearest neighbour's, then the best 2-opt moves."""
    tour = nearest_neighbour_tour(distances)
    while True:
        ordered = distances[np.ix_(tour, tour)]
        ahead = np.roll(ordered, -1, axis=1)
        step = np.diag(ahead)
        change = np.triu(ordered + np.roll(ahead, -1, axis=0) - step[:, None] - step, 1)
        i, j = np.unravel_index(change.argmin(), change.shape)
        if change[i, j] >= -1e-10:
            return tour
        tour[i + 1 : j + 1] = tour[i + 1 : j + 1][::-1].copy()


def nearest_neighbour_tour(distances: Array) -> Array:
    """From point 0 always to the nearest one that has not been visited, (n,)."""
    away = distances.copy()
    tour = [0]
    for _ in range(len(distances) - 1):
        away[:, tour[-1]] = np.inf
        tour.append(int(away[tour[-1]].argmin()))
    return np.array(tour)


def held_karp_bound(distances: Array, upper: float) -> float:
    """A lower bound on the length of all tours, by subgradient ascent over 1-trees (Held and Karp 1971).

    ``upper`` is the length of any tour. Every price of the points gives a valid bound; the best one met is returned.
    """
    n = len(distances)
    price, best = np.zeros(n), 0.0
    relax, direction = 2.0, np.zeros(n)
    for step in range(BOUND_STEPS):
        weight, degree = one_tree(distances + price[:, None] + price)
        bound = weight - 2 * float(price.sum())
        best = max(best, bound)
        direction = degree - 2 + 0.3 * direction
        norm = float(direction @ direction)
        if norm == 0:
            break
        price += relax * (upper - bound) / norm * direction
        relax *= 0.96 if step > BOUND_STEPS // 5 else 1.0
    return best


def one_tree(weights: Array) -> tuple[float, Array]:
    """Weight and degrees (n,) of the least spanning tree of the points but 0, and the two least links of 0."""
    n = len(weights)
    degree = np.zeros(n, dtype=np.int64)
    near, link = weights[1].copy(), np.ones(n, dtype=np.int64)
    reached = np.zeros(n, dtype=bool)
    reached[:2] = True
    near[:2] = np.inf
    total = 0.0
    for _ in range(n - 2):
        point = int(near.argmin())
        total += float(near[point])
        degree[point] += 1
        degree[link[point]] += 1
        reached[point], near[point] = True, np.inf
        closer = (weights[point] < near) & ~reached
        near[closer], link[closer] = weights[point][closer], point
    last = 1 + np.argpartition(weights[0, 1:], 1)[:2]
    degree[last] += 1
    degree[0] += 2
    return total + float(weights[0, last].sum()), degree
