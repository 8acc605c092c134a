"""Shifted systems, low-rank matrices with their measurements, and families of convection-diffusion problems."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def plate(rng: np.random.Generator, side: int) -> Array:
    """Five-point Laplacian of a square with fixed boundary and two conductivities, (side^2, side^2)."""
    line = 2 * np.eye(side) - np.eye(side, k=1) - np.eye(side, k=-1)
    across, along = rng.uniform(0.5, 1.5, 2)
    return _scaled(across * np.kron(line, np.eye(side)) + along * np.kron(np.eye(side), line))


def rod(rng: np.random.Generator, n: int) -> Array:
    """Three-point Laplacian of a line with fixed ends and random conductivities, (n, n)."""
    conductivity = rng.uniform(0.7, 1.4, n + 1)
    inner = conductivity[1:-1]
    return _scaled(np.diag(conductivity[:-1] + conductivity[1:]) - np.diag(inner, 1) - np.diag(inner, -1))


def two_blocks(rng: np.random.Generator, n: int) -> Array:
    """Identity minus random weights between two halves, whose spectral radius lies just below one, (n, n)."""
    half = n // 2
    between = (rng.random((half, n - half)) < 6 / half) * rng.uniform(0.2, 1.0, (half, n - half))
    weights = np.zeros((n, n))
    weights[:half, half:] = between
    weights += weights.T
    return np.eye(n) - rng.uniform(0.93, 0.99) * weights / np.linalg.norm(weights, 2)


def network(rng: np.random.Generator, n: int) -> Array:
    """Normalised Laplacian of the graph that links random points of a square to their four neighbours, (n, n)."""
    points = rng.random((n, 2))
    distances = np.hypot(points[:, None, 0] - points[:, 0], points[:, None, 1] - points[:, 1])
    np.fill_diagonal(distances, np.inf)
    links = np.zeros((n, n))
    links[np.repeat(np.arange(n), 4), np.argsort(distances, axis=1)[:, :4].ravel()] = 1.0
    links = np.maximum(links, links.T)
    degrees = links.sum(axis=1)
    return np.eye(n) - links / np.sqrt(np.outer(degrees, degrees))


def shifts(rng: np.random.Generator, kind: str, count: int, low: float, high: float) -> Array:
    """A sequence in [low, high]: ``independent`` (log-uniform), ``drift`` (slow waves) or ``regimes`` (two levels)."""
    if kind == "independent":
        place = rng.random(count)
    elif kind == "drift":
        wave = 0.5 + 0.5 * np.sin(np.linspace(0, 9, count) + rng.uniform(0, 6))
        place = np.clip(wave + rng.normal(0, 0.1, count), 0, 1)
    else:
        level = np.where(rng.random(count) < 0.5, 0.1, 0.7)
        place = np.clip(level + rng.normal(0, 0.05, count), 0, 1)
    return low * (high / low) ** place


def _scaled(matrix: Array) -> Array:
    return matrix / np.diag(matrix).mean()


def low_rank_psd(rng: np.random.Generator, d: int, rank: int) -> Array:
    """A random positive semidefinite matrix (d, d) whose eigenvalues fall from a random scale to half of it."""
    basis = np.linalg.qr(rng.normal(size=(d, rank)))[0]
    return (basis * (rng.uniform(0.5, 2.0) * np.linspace(1.0, 0.5, rank))) @ basis.T


def symmetric_gaussian(rng: np.random.Generator, count: int, d: int) -> Array:
    """Measurement matrices (count, d, d): the symmetric parts of matrices of standard normal entries."""
    matrices = rng.normal(size=(count, d, d))
    return (matrices + matrices.transpose(0, 2, 1)) / 2


def diffusion_parameters(rng: np.random.Generator, kind: str, count: int, width: int) -> Array:
    """Parameters (count, width): ``independent``, or points of a closed ``loop`` in random order."""
    if kind == "independent":
        return rng.normal(size=(count, width))
    centre, first, second = rng.normal(size=(3, width))
    angles = 2 * np.pi * rng.permutation(count)[:, None] / count
    return centre + np.cos(angles) * first + np.sin(angles) * second


def diffusion_field(parameters: Array, side: int) -> Array:
    """exp of a cosine series on a square, (side, side); eight parameters weigh the products of degree 0 to 2."""
    waves = np.cos(np.pi * np.outer(np.arange(3), np.linspace(0, 1, side)))
    degrees = [(i, j) for i in range(3) for j in range(3) if i + j > 0]
    series = [np.outer(waves[i], waves[j]) / (1 + i * i + j * j) for i, j in degrees]
    return np.exp(np.tensordot(parameters, series, axes=1))


def convection_diffusion(field: Array, velocity: Array) -> Any:
    """Five-point finite differences of -div(field grad u) + velocity . grad u, u = 0 on the boundary.

    Times h^2, as a sparse matrix (side^2, side^2); not symmetric unless the velocity (2,) is zero.
    """
    from scipy.sparse import coo_matrix

    side = len(field)
    number = np.arange(side**2).reshape(side, side)
    place = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    padded = np.pad(field, 1, mode="edge")
    rows, columns, values, diagonal = [], [], [], np.zeros_like(field)
    for axis in (0, 1):
        for step in (-1, 1):
            face = 0.5 * (field + np.roll(padded, -step, axis)[1:-1, 1:-1])
            diagonal += face
            inside = (place[axis] + step >= 0) & (place[axis] + step < side)
            rows.append(number[inside])
            columns.append(np.roll(number, -step, axis)[inside])
            values.append((step * velocity[axis] / (2 * (side + 1)) - face)[inside])
    entries = np.concatenate([*values, diagonal.ravel()])
    at = (np.concatenate([*rows, number.ravel()]), np.concatenate([*columns, number.ravel()]))
    return coo_matrix((entries, at), shape=(side**2, side**2)).tocsr()


def sparse_pattern(rng: np.random.Generator, kind: str, rows: int, columns: int, count: int) -> tuple[Array, Array]:
    """Places (row, column) of about ``count`` entries, in order, none twice: int64 arrays.

    ``graph`` (R-MAT with 0.57, 0.19, 0.19, 0.05), ``uniform``, ``banded`` or ``power law`` (some columns are crowded).
    """
    if kind == "graph":
        levels = int(np.log2(rows))
        quarter = rng.choice(4, (levels, count), p=(0.57, 0.19, 0.19, 0.05))
        weights = 2 ** np.arange(levels)[:, None]
        row, column = (quarter // 2 * weights).sum(axis=0), (quarter % 2 * weights).sum(axis=0)
    elif kind == "banded":
        row = rng.integers(0, rows, count)
        width = max(columns * 32 // 1024, 2)
        column = np.clip(row * columns // rows + rng.integers(-width, width + 1, count), 0, columns - 1)
    else:
        row = rng.integers(0, rows, count)
        crowding = 1 / np.arange(1, columns + 1) ** (0.6 if kind == "power law" else 0.0)
        column = rng.permutation(columns)[rng.choice(columns, count, p=crowding / crowding.sum())]
    row, column = np.unique(np.column_stack([row, column]), axis=0).T
    return row, column


def compressed_rows(rng: np.random.Generator, kind: str, rows: int, columns: int, count: int) -> tuple[Array, ...]:
    """A random matrix with entries in (0, 1) by compressed sparse rows: pointers, column numbers, values."""
    row, column = sparse_pattern(rng, kind, rows, columns, count)
    pointers = np.zeros(rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=rows), out=pointers[1:])
    return pointers, column.astype(np.int64), rng.uniform(0.01, 1.0, len(row))


def min_plus(a: tuple[Array, ...], b: tuple[Array, ...], columns: int) -> Array:
    """Dense (rows, columns) product in which sums are minima and products sums; infinite where nothing is stored."""
    dense = np.full((len(b[0]) - 1, columns), np.inf)
    dense[np.repeat(np.arange(len(dense)), np.diff(b[0])), b[1]] = b[2]
    product = np.full((len(a[0]) - 1, columns), np.inf)
    for i, (begin, end) in enumerate(zip(a[0][:-1], a[0][1:], strict=True)):
        if begin < end:
            product[i] = (a[2][begin:end, None] + dense[a[1][begin:end]]).min(axis=0)
    return product


def sampled_low_rank(rng: np.random.Generator, m: int, n: int, k: int, oversampling: float) -> tuple[Array, Array]:
    """A product of Gaussian factors of rank k, (m, n), of Frobenius norm 1, and a mask (m, n) of 0 and 1.

    The mask has oversampling * k * (m + n) ones at random places.
    """
    matrix = rng.standard_normal((m, k)) @ rng.standard_normal((k, n))
    mask = np.zeros(m * n)
    mask[rng.choice(m * n, int(oversampling * k * (m + n)), replace=False)] = 1.0
    return matrix / np.linalg.norm(matrix), mask.reshape(m, n)


def discs(rng: np.random.Generator, count: int, side: int) -> Array:
    """Masks (count, side, side): 1 where there is fluid, 0 in up to three discs of radius side / 16 to side / 7."""
    y, x = np.mgrid[:side, :side]
    masks = np.ones((count, side, side))
    for mask in masks:
        for _ in range(rng.integers(0, 4)):
            (cx, cy), radius = rng.uniform(side / 6, 5 * side / 6, 2), rng.uniform(side / 16, side / 7)
            mask[(y - cy) ** 2 + (x - cx) ** 2 < radius**2] = 0.0
    return masks


def diffusion_on_mask(x: Array, mask: Array, conductivity: Array) -> Array:
    """Five-point -div(conductivity grad x) on the fluid cells, x = 0 elsewhere and outside: all (side, side)."""
    x = x * mask
    field, around = np.pad(conductivity, 1, mode="edge"), np.pad(x, 1)
    result = np.zeros_like(x)
    for axis in (0, 1):
        for step in (-1, 1):
            face = 0.5 * (conductivity + np.roll(field, -step, axis)[1:-1, 1:-1])
            result += face * (x - np.roll(around, -step, axis)[1:-1, 1:-1])
    return result * mask
