"""Plain constructions: hexagonal rows with optimal radii, the best of some jittered grids, and the roots of D_d."""

import numpy as np
from scipy.optimize import linprog

# EVOLVE-BLOCK-START
ROWS = (2, 3, 4, 5)
JITTER = 0.35
GRID_SIZE = 3.0
GRIDS = 40
SHRINK = 1e-9


def best_radii(centres, width, height):
    """Radii of the largest sum for fixed centres: a linear program."""
    n = len(centres)
    i, j = np.triu_indices(n, 1)
    pairs = np.zeros((len(i), n))
    pairs[np.arange(len(i)), i] = 1
    pairs[np.arange(len(i)), j] = 1
    distances = np.hypot(*(centres[i] - centres[j]).T)
    x, y = centres.T
    walls = np.min([x, width - x, y, height - y], axis=0)
    radii = linprog(-np.ones(n), A_ub=pairs, b_ub=distances, bounds=[(0, w) for w in walls]).x
    overlap = max(np.max(radii[i] + radii[j] - distances), np.max(radii - walls), 0.0)
    return np.maximum(radii - overlap, 0.0)


def pack_circles(n, width, height):
    best = np.zeros((n, 3))
    for rows in ROWS:
        columns = int(np.ceil(n / rows))
        row, column = np.divmod(np.arange(n), columns)
        offset = np.where(row % 2 == 0, 0.25, 0.75)
        centres = np.column_stack([(column + offset) / columns * width, (row + 0.5) / rows * height])
        radii = best_radii(centres, width, height)
        if radii.sum() > best[:, 2].sum():
            best = np.column_stack([centres, radii])
    return best


def inside(points, vertices):
    """Which points lie in the convex polygon (counter-clockwise)."""
    edges = np.roll(vertices, -1, axis=0) - vertices
    away = points[:, None, :] - vertices[None, :, :]
    return np.all(edges[:, 0] * away[:, :, 1] - edges[:, 1] * away[:, :, 0] >= 0, axis=1)


def smallest_triangle(points):
    i, j, k = np.array([(a, b, c) for a in range(len(points)) for b in range(a) for c in range(b)]).T
    u, v = points[j] - points[i], points[k] - points[i]
    return np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).min()


def spread_points(n, vertices, rng):
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    centre = vertices.mean(axis=0)
    best, best_value = np.tile(centre, (n, 1)), 0.0
    side = int(np.ceil(np.sqrt(GRID_SIZE * n)))
    cells = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    for _ in range(GRIDS):
        points = low + (cells + 0.5 + rng.uniform(-JITTER, JITTER, cells.shape)) / side * (high - low)
        points = points[inside(points, vertices)]
        if len(points) >= n:
            points = points[rng.permutation(len(points))[:n]]
            value = smallest_triangle(points)
            if value > best_value:
                best, best_value = points, value
    return centre + (best - centre) * (1 - SHRINK)


def touching_spheres(dimension):
    vectors = []
    for i in range(dimension):
        for j in range(i):
            for a in (-1, 1):
                for b in (-1, 1):
                    vector = np.zeros(dimension, dtype=np.int64)
                    vector[i], vector[j] = a, b
                    vectors.append(vector)
    return np.array(vectors)


def construct(problem: dict, cpu_seconds: float, seed: int) -> np.ndarray:
    if problem["kind"] == "packing":
        return pack_circles(problem["n"], problem["width"], problem["height"])
    if problem["kind"] == "heilbronn":
        return spread_points(problem["n"], problem["vertices"], np.random.default_rng(seed))
    return touching_spheres(problem["dimension"])


# EVOLVE-BLOCK-END
