"""Geometric constructions: random convex containers and sphere arrangements, with values to normalise by."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Problem = dict[str, Any]

# Smallest triangle over container, best known. Every triangle is an affine image of every other, so one row serves all.
HEILBRONN_TRIANGLE = {7: 0.0972, 8: 0.0677, 9: 0.0549, 10: 0.0434, 11: 0.0365, 12: 0.0310}
# The same for the unit square (Comellas and Yebra 2002; Goldberg 1972): the yardstick for four and five corners.
HEILBRONN_SQUARE = {7: 0.0838, 8: 0.0724, 9: 0.0549, 10: 0.0465, 11: 0.0370, 12: 0.0326}
# Spheres that touch one sphere, best known lower bounds.
KISSING = {7: 126, 8: 240, 9: 306, 10: 510, 11: 593, 12: 840}


def packing(rng: np.random.Generator, n: int, aspect: float | None = None) -> Problem:
    """Disjoint circles in a rectangle of area 1; the aspect ratio is drawn from 1 to 2.5 unless given."""
    aspect = float(rng.uniform(1.0, 2.5)) if aspect is None else aspect
    return {"kind": "packing", "n": n, "width": aspect**0.5, "height": 1 / aspect**0.5}


def packing_yardstick(problem: Problem) -> float:
    """Sum of radii of n equal circles at the hexagonal density, as if the rectangle had no walls."""
    return float(np.sqrt(problem["n"] * problem["width"] * problem["height"] / np.sqrt(12.0)))


def heilbronn(rng: np.random.Generator, n: int, corners: int) -> Problem:
    """Points in a random convex polygon, corners counter-clockwise; every corner cuts off at least 5 % of the area."""
    while True:
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        stretch = np.array([1.0, rng.uniform(0.6, 1.0)])
        vertices = rng.uniform(0.7, 1.3, (corners, 1)) * np.column_stack([np.cos(angles), np.sin(angles)]) * stretch
        before, after = np.roll(vertices, 1, axis=0), np.roll(vertices, -1, axis=0)
        u, v = vertices - before, after - vertices
        ears = (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 2
        area = (vertices[:, 0] * after[:, 1] - vertices[:, 1] * after[:, 0]).sum() / 2
        if ears.min() > 0.05 * area and area > 0.6:
            return {"kind": "heilbronn", "n": n, "vertices": vertices}


def heilbronn_yardstick(problem: Problem) -> float:
    """Best known smallest triangle, as a share of the container: exact for triangles, the square's for others."""
    table = HEILBRONN_TRIANGLE if len(problem["vertices"]) == 3 else HEILBRONN_SQUARE
    return table[problem["n"]]


def kissing(dimension: int) -> Problem:
    return {"kind": "kissing", "dimension": dimension}
