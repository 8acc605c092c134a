"""Place points in the unit square, far from each other."""

# EVOLVE-BLOCK-START
import numpy as np


def place(count, rng):
    """Random points, shrunk towards the middle."""
    points = rng.uniform(size=(count, 2))
    return 0.5 + 0.5 * (points - 0.5)


# EVOLVE-BLOCK-END


def run_placement(seed=0, count=9, **settings):
    """Points of shape (count, 2) and the least distance that they claim."""
    points = place(count, np.random.default_rng(seed))
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2) + 9.0 * np.eye(count)
    return points, float(gaps.min())
