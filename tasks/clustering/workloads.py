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


def tree_blocks(rng: np.random.Generator, sizes: Array, densities: tuple[float, ...]) -> tuple[Array, Array]:
    """A graph whose communities are the leaves of a binary tree: adjacency (n, n) of 0 and 1, and leaf labels (n,).

    ``sizes`` (2^depth,) are the leaves'; two nodes are linked with the density of the depth of their leaves' last
    common ancestor, ``densities`` from the root's to the leaves' own.
    """
    labels = np.repeat(np.arange(len(sizes)), sizes)
    labels = labels[rng.permutation(len(labels))]
    differing = labels[:, None] ^ labels
    depth = len(densities) - 1
    shared = depth - np.ceil(np.log2(differing + 1)).astype(int)
    upper = np.triu(rng.random(shared.shape) < np.array(densities)[shared], 1)
    return (upper | upper.T).astype(np.int8), labels


def adjusted_mutual_information(one: Array, other: Array) -> float:
    """(MI - E MI) / (mean entropy - E MI) of two labellings, E over random labellings of the same sizes.

    0 where both have one community only. Vinh, Epps and Bailey 2010.
    """
    from scipy.special import gammaln, xlogy

    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1.0)
    n, rows, columns = len(one), table.sum(axis=1), table.sum(axis=0)
    rows, columns, table = rows[rows > 0], columns[columns > 0], table[np.ix_(rows > 0, columns > 0)]
    a, b = np.meshgrid(rows, columns, indexing="ij")
    observed = float(xlogy(table / n, n * table / (a * b)).sum())
    common = np.arange(1, int(min(rows.max(), columns.max())) + 1)[:, None, None]
    possible = (common <= np.minimum(a, b)) & (common >= a + b - n)
    rest = np.where(possible, n - a - b + common, 0.0)
    ways = gammaln(a + 1) + gammaln(b + 1) + gammaln(n - a + 1) + gammaln(n - b + 1) - gammaln(n + 1)
    ways = ways - gammaln(common + 1) - gammaln(np.where(possible, a - common, 0.0) + 1)
    ways = ways - gammaln(np.where(possible, b - common, 0.0) + 1) - gammaln(rest + 1)
    terms = common / n * np.log(n * common / (a * b)) * np.exp(np.where(possible, ways, -np.inf))
    expected = float(terms.sum())
    entropies = [float(-xlogy(sizes / n, sizes / n).sum()) for sizes in (rows, columns)]
    normaliser = float(np.mean(entropies)) - expected
    return (observed - expected) / normaliser if abs(normaliser) > 1e-12 else 0.0
