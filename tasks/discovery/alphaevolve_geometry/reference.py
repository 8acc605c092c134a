"""Multi-start constrained local search, what the programs evolved in the AlphaEvolve line come down to.

Packing: SLSQP on centres and radii together under all pair constraints
|c_i - c_j|^2 >= (r_i + r_j)^2, then the linear program for exact radii; starts alternate between a perturbed best and
fresh points. Heilbronn: SLSQP on (points, t), maximise t with sign_ijk area_ijk >= t, signs fixed from the current
points. Kissing: integer vectors of squared norm 4, +-2 e_i and (+-1)^4 on blocks that share at most two coordinates
(Construction A: Conway and Sloane, Sphere Packings, Lattices and Groups, chapter 5), blocks by swap local search.

Problems and reported values: Novikov et al. 2025 (AlphaEvolve), appendix B; reproduced with evolved programs by
Khrulkov et al. 2025 (GigaEvo).
"""

import itertools
import time

import numpy as np
from scipy.optimize import linprog, minimize

SHARE = 0.9
STEP = 0.05
FEWEST = 2  # now and then one search takes the whole budget and fails
SHRINK = 1e-9


def construct(problem: dict, cpu_seconds: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    end = time.process_time() + SHARE * cpu_seconds
    if problem["kind"] == "packing":
        return pack(problem["n"], problem["width"], problem["height"], rng, end)
    if problem["kind"] == "heilbronn":
        return spread(problem["n"], problem["vertices"], rng, end)
    return kiss(problem["dimension"], rng, end)


def hexagonal(n, width, height, rows):
    columns = int(np.ceil(n / rows))
    row, column = np.divmod(np.arange(n), columns)
    return np.column_stack([(column + np.where(row % 2, 0.75, 0.25)) / columns * width, (row + 0.5) / rows * height])


def best_radii(centres, width, height, pairs):
    """max sum r with r_i + r_j <= d_ij and r_i <= distance to the walls: a linear program, its tolerance taken back."""
    n, (i, j) = len(centres), pairs
    rows = np.zeros((len(i), n))
    rows[np.arange(len(i)), i] = 1
    rows[np.arange(len(i)), j] = 1
    x, y = centres.T
    walls = np.maximum(np.min([x, width - x, y, height - y], axis=0), 0)
    distances = np.hypot(*(centres[i] - centres[j]).T)
    radii = linprog(-np.ones(n), A_ub=rows, b_ub=distances, bounds=np.column_stack([np.zeros(n), walls])).x
    overlap = max((radii[i] + radii[j] - distances).max(), (radii - walls).max(), 0.0)
    return np.maximum(radii - overlap, 0.0)


def safe_radii(centres, width, height, pairs):
    """Radii without any overlap: half the distance to the nearest centre, at most the distance to the walls."""
    i, j = pairs
    distances = np.full((len(centres), len(centres)), np.inf)
    distances[i, j] = distances[j, i] = np.hypot(*(centres[i] - centres[j]).T)
    x, y = centres.T
    return np.min([x, width - x, y, height - y, distances.min(axis=1) / 2], axis=0)


def pack(n, width, height, rng, end):
    pairs = np.triu_indices(n, 1)
    ideal = max(1, round(np.sqrt(n * height / width)))
    grids = [hexagonal(n, width, height, rows) for rows in (ideal, ideal + 1, max(1, ideal - 1))]
    first = max(grids, key=lambda grid: safe_radii(grid, width, height, pairs).sum())
    best = np.column_stack([first, best_radii(first, width, height, pairs)])
    margin = 0.02 * min(width, height)
    size, trial, started = np.array([width, height]), 0, time.process_time()
    while trial < FEWEST or time.process_time() + (time.process_time() - started) / trial < end:
        kick = STEP * np.sqrt(width * height) * rng.standard_normal((n, 2))
        centres = best[:, :2] + kick if trial % 2 == 0 else rng.random((n, 2)) * size
        centres = np.clip(centres, margin, size - margin)
        centres = improve_packing(centres, safe_radii(centres, width, height, pairs), width, height, pairs)
        radii = best_radii(centres, width, height, pairs)
        if radii.sum() > best[:, 2].sum():
            best = np.column_stack([centres, radii])
        trial += 1
    return best


def improve_packing(centres, radii, width, height, pairs):
    n, (i, j) = len(centres), pairs
    m, k, one = len(i), np.arange(n), np.arange(len(i))
    jacobian = np.zeros((m + 4 * n, 3 * n))
    for block, (column, sign) in enumerate(((0, 1), (0, -1), (n, 1), (n, -1))):
        jacobian[m + block * n + k, column + k] = sign
        jacobian[m + block * n + k, 2 * n + k] = -1

    def constraints(z):
        x, y, r = z[:n], z[n : 2 * n], z[2 * n :]
        gaps = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2 - (r[i] + r[j]) ** 2
        return np.concatenate([gaps, x - r, width - x - r, y - r, height - y - r])

    def derivatives(z):
        x, y, r = z[:n], z[n : 2 * n], z[2 * n :]
        dx, dy, s = 2 * (x[i] - x[j]), 2 * (y[i] - y[j]), -2 * (r[i] + r[j])
        jacobian[one, i], jacobian[one, j] = dx, -dx
        jacobian[one, n + i], jacobian[one, n + j] = dy, -dy
        jacobian[one, 2 * n + i] = jacobian[one, 2 * n + j] = s
        return jacobian

    slope = np.concatenate([np.zeros(2 * n), -np.ones(n)])
    found = minimize(
        lambda z: -z[2 * n :].sum(),
        np.concatenate([centres[:, 0], centres[:, 1], radii]),
        jac=lambda z: slope,
        constraints={"type": "ineq", "fun": constraints, "jac": derivatives},
        method="SLSQP",
        options={"maxiter": 50, "ftol": 1e-7},
    )
    return np.column_stack([np.clip(found.x[:n], 0, width), np.clip(found.x[n : 2 * n], 0, height)])


def areas(points, triples):
    """Twice the signed areas of the triangles, for one point set or many (..., n, 2)."""
    a, b, c = (points[..., t, :] for t in triples)
    return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])


def random_points(count, n, vertices, rng):
    """Point sets, uniform in a convex polygon: triangles of a fan, drawn by area."""
    a, b, c = vertices[0], vertices[1:-1], vertices[2:]
    u, v = b - a, c - a
    weights = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
    which = rng.choice(len(weights), (count, n), p=weights / weights.sum())
    s, t = rng.random((2, count, n, 1))
    s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
    return a + s * u[which] + t * v[which]


def spread(n, vertices, rng, end):
    triples = np.array(list(itertools.combinations(range(n), 3))).T
    edges = np.roll(vertices, -1, axis=0) - vertices
    normals = np.column_stack([-edges[:, 1], edges[:, 0]])
    offsets = (normals * vertices).sum(axis=1)
    centre, longest = vertices.mean(axis=0), 0.0
    best, value = np.tile(centre, (n, 1)), 0.0
    while value == 0.0 or time.process_time() + longest < end:
        begun = time.process_time()
        pool = random_points(100, n, vertices, rng)
        points = pool[np.abs(areas(pool, triples)).min(axis=1).argmax()]
        for _ in range(3):
            moved = improve_spread(points, triples, normals, offsets)
            gain = np.abs(areas(moved, triples)).min() - np.abs(areas(points, triples)).min()
            points = moved if gain > 0 else points
            if gain < 1e-4 * value:
                break
        points = centre + (1 - SHRINK) * (points - centre)
        inside = np.all(points @ normals.T >= offsets)
        smallest = np.abs(areas(points, triples)).min()
        if inside and smallest > value:
            best, value = points, smallest
        longest = max(longest, time.process_time() - begun)
    return best


def improve_spread(points, triples, normals, offsets):
    n, (i, j, k) = len(points), triples
    m, one = len(i), np.arange(len(i))
    signs = np.sign(areas(points, triples))
    jacobian = np.zeros((m + n * len(normals), 2 * n + 1))
    jacobian[:m, -1] = -1
    for e, normal in enumerate(normals):
        rows = m + e * n + np.arange(n)
        jacobian[rows, np.arange(n)], jacobian[rows, n + np.arange(n)] = normal

    def constraints(z):
        p = z[:-1].reshape(2, n).T
        return np.concatenate([signs * areas(p, triples) - z[-1], (p @ normals.T - offsets).T.ravel()])

    def derivatives(z):
        x, y = z[:n], z[n:-1]
        for a, b, c in ((i, j, k), (j, k, i), (k, i, j)):
            jacobian[one, a] = signs * (y[b] - y[c])
            jacobian[one, n + a] = signs * (x[c] - x[b])
        return jacobian

    slope = np.append(np.zeros(2 * n), -1.0)
    found = minimize(
        lambda z: -z[-1],
        np.append(points.T.ravel(), np.abs(areas(points, triples)).min()),
        jac=lambda z: slope,
        constraints={"type": "ineq", "fun": constraints, "jac": derivatives},
        method="SLSQP",
        options={"maxiter": 60, "ftol": 1e-7},
    )
    return found.x[:-1].reshape(2, n).T


def kiss(dimension, rng, end):
    blocks = best_blocks(dimension, rng, end)
    vectors = [2 * sign * np.eye(dimension, dtype=np.int64) for sign in (-1, 1)]
    signs = np.array(list(itertools.product((-1, 1), repeat=4)))
    for block in blocks:
        signed = np.zeros((16, dimension), dtype=np.int64)
        signed[:, block] = signs
        vectors.append(signed)
    return np.concatenate(vectors)


def best_blocks(dimension, rng, end):
    """Four-element blocks, no two with three elements in common: insert what conflicts with at most one, and swap."""
    quads = list(itertools.combinations(range(dimension), 4))
    members = np.zeros((len(quads), dimension), dtype=np.int64)
    for q, quad in enumerate(quads):
        members[q, quad] = 1
    conflict = members @ members.T == 3
    chosen, conflicts = np.zeros(len(quads), dtype=bool), np.zeros(len(quads), dtype=np.int64)
    for q in range(len(quads)):
        if conflicts[q] == 0:
            chosen[q] = True
            conflicts += conflict[q]
    best, last_out = chosen.copy(), np.full(len(quads), -10)
    step = 0
    while time.process_time() < end:
        step += 1
        free = np.flatnonzero(~chosen & (conflicts == 0))
        swaps = np.flatnonzero(~chosen & (conflicts == 1) & (last_out < step - 5 - rng.integers(5)))
        q = rng.choice(free) if len(free) else rng.choice(swaps) if len(swaps) else rng.integers(len(quads))
        if chosen[q]:
            continue
        for out in np.flatnonzero(chosen & conflict[q]):
            chosen[out], last_out[out] = False, step
            conflicts -= conflict[out]
        chosen[q] = True
        conflicts += conflict[q]
        if chosen.sum() > best.sum():
            best = chosen.copy()
    return [list(quads[q]) for q in np.flatnonzero(best)]
