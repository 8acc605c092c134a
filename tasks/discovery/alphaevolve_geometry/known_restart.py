"""Random restarts and single-point moves, no derivatives: what a first program that uses its time would do.

Packing moves one centre at a time and ends with the linear program for the radii; kissing takes blocks greedily.
"""

import itertools
import time

import numpy as np
from scipy.optimize import linprog

SHARE = 0.85
PATIENCE = 150
SHRINK = 1e-9


def construct(problem: dict, cpu_seconds: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    end = time.process_time() + SHARE * cpu_seconds
    if problem["kind"] == "packing":
        return pack(problem["n"], np.array([problem["width"], problem["height"]]), rng, end)
    if problem["kind"] == "heilbronn":
        return spread(problem["n"], problem["vertices"], rng, end)
    return kiss(problem["dimension"])


def climb(draw, value, move, rng, end):
    """The best state of hill climbing from many draws."""
    best, best_value = None, -np.inf
    while best is None or time.process_time() < end:
        state = draw()
        current, idle, step = value(state), 0, 0.3
        while idle < PATIENCE and time.process_time() < end:
            other = move(state, step)
            changed = value(other)
            if changed > current:
                state, current, idle = other, changed, 0
            else:
                idle, step = idle + 1, max(0.97 * step, 0.01)
        if current > best_value:
            best, best_value = state, current
    return best


def pack(n, size, rng, end):
    i, j = np.triu_indices(n, 1)

    def walls(centres):
        return np.minimum(centres, size - centres).min(axis=1)

    def free(centres):
        gaps = np.linalg.norm(centres[:, None] - centres[None], axis=2) + np.diag(np.full(n, np.inf))
        return np.minimum(walls(centres), gaps.min(axis=1) / 2).sum()

    def move(centres, step):
        moved = centres.copy()
        moved[rng.integers(n)] += step * rng.standard_normal(2)
        return np.clip(moved, 0.02, size - 0.02)

    centres = climb(lambda: 0.02 + rng.random((n, 2)) * (size - 0.04), free, move, rng, end)
    rows = np.zeros((len(i), n))
    rows[np.arange(len(i)), i] = 1
    rows[np.arange(len(i)), j] = 1
    distances = np.linalg.norm(centres[i] - centres[j], axis=1)
    radii = linprog(-np.ones(n), A_ub=rows, b_ub=distances, bounds=[(0, w) for w in walls(centres)]).x
    overlap = max((radii[i] + radii[j] - distances).max(), (radii - walls(centres)).max(), 0.0)
    return np.column_stack([centres, np.maximum(radii - overlap, 0.0)])


def spread(n, vertices, rng, end):
    i, j, k = np.array(list(itertools.combinations(range(n), 3))).T
    edges = np.roll(vertices, -1, axis=0) - vertices
    normals = np.column_stack([-edges[:, 1], edges[:, 0]])
    offsets = (normals * vertices).sum(axis=1)

    def smallest(points):
        if np.any(points @ normals.T < offsets):
            return -1.0
        u, v = points[j] - points[i], points[k] - points[i]
        return np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).min()

    def move(points, step):
        moved = points.copy()
        moved[rng.integers(n)] += step * rng.standard_normal(2)
        return moved

    points = climb(lambda: rng.dirichlet(np.ones(len(vertices)), n) @ vertices, smallest, move, rng, end)
    centre = vertices.mean(axis=0)
    return centre + (1 - SHRINK) * (points - centre)


def kiss(dimension):
    blocks = []
    for block in itertools.combinations(range(dimension), 4):
        if all(len(set(block) & set(other)) < 3 for other in blocks):
            blocks.append(block)
    vectors = [2 * sign * np.eye(dimension, dtype=np.int64) for sign in (-1, 1)]
    for block in blocks:
        signed = np.zeros((16, dimension), dtype=np.int64)
        signed[:, block] = list(itertools.product((-1, 1), repeat=4))
        vectors.append(signed)
    return np.concatenate(vectors)
