"""Dissimilarity matrices with many groups, symmetric with zero diagonal, in random order."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def manhattan(rng: np.random.Generator, n: int, groups: int) -> Array:
    """L1 distances of a mixture of Gaussians in eight dimensions."""
    centres = 2 * rng.normal(size=(groups, 8))
    points = centres[rng.integers(0, groups, n)] + rng.normal(size=(n, 8))
    distances = np.zeros((n, n))
    for coordinate in points.T:
        distances += np.abs(coordinate[:, None] - coordinate)
    return distances


def jaccard(rng: np.random.Generator, n: int, groups: int) -> Array:
    """One minus overlap over union of random sets: noisy copies of ``groups`` prototypes of 200 possible members."""
    prototypes = rng.random((groups, 200)) < 0.15
    sets = prototypes[rng.integers(0, groups, n)]
    sets = np.where(rng.random(sets.shape) < 0.12, rng.random(sets.shape) < 0.15, sets).astype(np.float64)
    sets[:, 0] = 1.0
    common = sets @ sets.T
    sizes = sets.sum(1)
    distances = 1 - common / (sizes[:, None] + sizes - common)
    np.fill_diagonal(distances, 0.0)
    return distances


def road_network(rng: np.random.Generator, n: int) -> Array:
    """Shortest paths in a graph that links random points of a square to their neighbours, by roads of unlike speed."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    points = rng.random((n, 2))
    straight = np.hypot(points[:, None, 0] - points[:, 0], points[:, None, 1] - points[:, 1])
    np.fill_diagonal(straight, np.inf)
    near = np.argpartition(straight, 5, axis=1)[:, :5]
    rows = np.repeat(np.arange(n), 5)
    lengths = straight[rows, near.ravel()] * rng.uniform(1.0, 3.0, len(rows))
    order = np.argsort(points[:, 0])
    rows = np.concatenate([rows, order[:-1]])
    columns = np.concatenate([near.ravel(), order[1:]])
    lengths = np.concatenate([lengths, 2 * straight[order[:-1], order[1:]]])
    graph = csr_matrix((lengths, (rows, columns)), shape=(n, n))
    distances = dijkstra(graph.minimum(graph.T) + _one_way(graph), directed=False)
    return np.minimum(distances, distances.T)


def _one_way(graph: Any) -> Any:
    """The links of ``graph`` that have no link back."""
    both = graph.multiply(graph.T.astype(bool))
    return graph - both
