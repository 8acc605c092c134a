"""Steps that CMA-ES would not take: far ones along one number, and to the minimum of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SHORTEST = 0.5
"""Of leaps, in coordinates: a factor of 1.6 on a log scale."""

Vector = NDArray[np.float64]


def leap(farthest: Sequence[float], rng: np.random.Generator) -> Vector:
    """Along one number, its length uniform on a log scale: a step size may be wrong by orders of magnitude.

    ``farthest`` are the longest leaps of the numbers.
    """
    step = np.zeros(len(farthest))
    which = int(rng.integers(len(farthest)))
    length = math.exp(rng.uniform(math.log(SHORTEST), math.log(farthest[which])))
    step[which] = length if rng.random() < 0.5 else -length
    return step


def valley_of(steps: Vector, losses: Vector, farthest: Sequence[float]) -> Vector | None:
    """Where a parabola for each number, fitted to the best programs, has its minimum; None where these are too few.

    ``steps`` are (programs, numbers) coordinates from the best program. The fit is by least squares to the 4 n + 4
    best of them (cf. the diagonal models of lq-CMA-ES, Hansen 2019). The minimum is sought as far from the best as
    these are, on either side, so that steps double while all of them lie on one slope, but not beyond ``farthest``.
    """
    numbers = steps.shape[1]
    valid = np.flatnonzero(np.isfinite(losses))
    best = valid[np.argsort(losses[valid], kind="stable")][: 4 * numbers + 4]
    if len(best) < 2 * numbers + 2:
        return None
    near = steps[best]
    fitted = np.linalg.lstsq(np.hstack([np.ones((len(best), 1)), near, near**2]), losses[best], rcond=1e-6)[0]
    slope, curvature = fitted[1 : numbers + 1], fitted[numbers + 1 :]
    reach = np.minimum(np.abs(near).max(axis=0), farthest)
    bottom = -slope / (2 * np.where(curvature > 0, curvature, 1.0))
    return np.where(curvature > 0, np.clip(bottom, -reach, reach), -np.sign(slope) * reach)
