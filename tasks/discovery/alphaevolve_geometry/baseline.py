"""Plain constructions and a few random moves: hexagonal rows, the best of some jittered grids, the roots of D_d."""

import numpy as np
from scipy.optimize import linprog

# EVOLVE-BLOCK-START
ROWS = (2, 3, 4, 5)
JITTER = 0.35
GRID_SIZE = 3.0
GRIDS = 20
MOVES = 20
STEP = 0.3
SHRINK = 1e-9


def climb(points, value, rng):
    """Move one point at a time at random and keep what is better."""
    best = value(points)
    for _ in range(MOVES):
        moved = points.copy()
        moved[rng.integers(len(points))] += STEP * rng.standard_normal(2)
        found = value(moved)
        if found > best:
            points, best = moved, found
    return points


def wall_distances(centres, width, height):
    x, y = centres.T
    return np.min([x, width - x, y, height - y], axis=0)


def best_radii(centres, width, height):
    """Radii of the largest sum for fixed centres: a linear program."""
    n = len(centres)
    i, j = np.triu_indices(n, 1)
    pairs = np.zeros((len(i), n))
    pairs[np.arange(len(i)), i] = 1
    pairs[np.arange(len(i)), j] = 1
    distances = np.hypot(*(centres[i] - centres[j]).T)
    walls = wall_distances(centres, width, height)
    radii = linprog(-np.ones(n), A_ub=pairs, b_ub=distances, bounds=[(0, w) for w in walls]).x
    overlap = max(np.max(radii[i] + radii[j] - distances), np.max(radii - walls), 0.0)
    return np.maximum(radii - overlap, 0.0)


def pack_circles(n, width, height, rng):
    def near_radii(centres):
        """Sum of the radii that half the distance to the nearest centre allows."""
        x, y = centres.T
        distances = np.hypot(x[:, None] - x, y[:, None] - y) + np.where(np.eye(n), np.inf, 0.0)
        return np.minimum(distances.min(axis=1) / 2, wall_distances(centres, width, height)).sum()

    grids = []
    for rows in ROWS:
        columns = int(np.ceil(n / rows))
        row, column = np.divmod(np.arange(n), columns)
        offset = np.where(row % 2 == 0, 0.25, 0.75)
        grids.append(np.column_stack([(column + offset) / columns * width, (row + 0.5) / rows * height]))
    centres = climb(max(grids, key=near_radii), near_radii, rng)
    return np.column_stack([centres, best_radii(centres, width, height)])


def inside(points, vertices):
    """Which points lie in the convex polygon (counter-clockwise)."""
    edges = np.roll(vertices, -1, axis=0) - vertices
    away = points[:, None, :] - vertices[None, :, :]
    return np.all(edges[:, 0] * away[:, :, 1] - edges[:, 1] * away[:, :, 0] >= 0, axis=1)


def spread_points(n, vertices, rng):
    i, j, k = np.array([(a, b, c) for a in range(n) for b in range(a) for c in range(b)]).T

    def smallest_triangle(points):
        u, v = points[j] - points[i], points[k] - points[i]
        return np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).min() if inside(points, vertices).all() else 0.0

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
    return centre + (climb(best, smallest_triangle, rng) - centre) * (1 - SHRINK)


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
    rng = np.random.default_rng(seed)
    if problem["kind"] == "packing":
        return pack_circles(problem["n"], problem["width"], problem["height"], rng)
    if problem["kind"] == "heilbronn":
        return spread_points(problem["n"], problem["vertices"], rng)
    return touching_spheres(problem["dimension"])


# EVOLVE-BLOCK-END
