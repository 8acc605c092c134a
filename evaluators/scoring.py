"""The paper-relative scale: 0 at the baseline, 1 at the reference, with a confidence interval."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from .evaluation import Interval
from .task import Direction, Objective

CONFIDENCE = 0.95


def transformed(objective: Objective, value: float) -> float:
    """The value on the scale where differences count and more is better; ``-inf`` where a log scale has no place."""
    sign = 1.0 if objective.direction is Direction.MAXIMIZE else -1.0
    if objective.scale == "linear":
        return sign * value
    shifted = value + objective.floor
    return sign * math.log(shifted) if shifted > 0 else -math.inf


def gain(objective: Objective, value: float, baseline: float) -> float:
    """How far ``value`` is ahead of the baseline's on the same instance: a difference, or the log of a ratio."""
    return transformed(objective, value) - transformed(objective, baseline)


def aggregate(objective: Objective, values: Sequence[float]) -> float:
    """Arithmetic mean, or geometric mean (of value + floor) on a log scale."""
    if objective.scale == "linear":
        return float(np.mean(values))
    return float(np.exp(np.mean(np.log(np.asarray(values) + objective.floor)))) - objective.floor


@functools.cache
def _quantile(degrees: int) -> float:
    """Student's t, two-sided at CONFIDENCE."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + CONFIDENCE / 2))


def mean_interval(values: Sequence[float]) -> Interval:
    """Student-t interval of the mean over instances; of a single one, the value itself."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(low=mean, high=mean)
    half = _quantile(len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(low=mean - half, high=mean + half)


def score(gains: Sequence[float], reference_gain: float) -> tuple[float, Interval]:
    """Mean gain over the reference's mean gain, and its interval; the reference's gain is the run's fixed unit."""
    interval = mean_interval(gains)
    unit = reference_gain
    return float(np.mean(gains)) / unit, Interval(low=interval.low / unit, high=interval.high / unit)
