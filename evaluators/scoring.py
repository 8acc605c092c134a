"""The paper-relative scale: 0 at the baseline, 1 at the reference, with a confidence interval."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from fractions import Fraction

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


def ahead(objective: Objective, baseline: float, gained: float) -> float:
    """The value that is ``gained`` ahead of the baseline's: the inverse of ``gain``."""
    sign = 1.0 if objective.direction is Direction.MAXIMIZE else -1.0
    if objective.scale == "linear":
        return baseline + sign * gained
    return (baseline + objective.floor) * math.exp(sign * gained) - objective.floor


def aggregate(objective: Objective, values: Sequence[float]) -> float:
    """Arithmetic mean, or geometric mean (of value + floor) on a log scale."""
    if objective.scale == "linear":
        return float(np.mean(values))
    return float(np.exp(np.mean(np.log(np.asarray(values) + objective.floor)))) - objective.floor


def geometric_mean(values: Sequence[float]) -> float | None:
    """Of positive values; None where there are none."""
    return float(np.exp(np.mean(np.log(values)))) if values and min(values) > 0 else None


@functools.cache
def _quantile(degrees: float, confidence: float) -> float:
    """Student's t, two-sided."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + confidence / 2))


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Student-t interval of the mean over instances; of a single one (a task with one fixed problem) the value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(low=mean, high=mean, confidence=confidence)
    half = _quantile(len(values) - 1, confidence) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(low=mean - half, high=mean + half, confidence=confidence)


def stratified_interval(
    values: Sequence[float], kinds: Sequence[str], confidence: float = CONFIDENCE
) -> Interval | None:
    """Interval of the mean where kinds of instances come in fixed numbers, so that only the spread within them counts.

    Degrees of freedom after Satterthwaite (1946). None where a kind has a single value.
    """
    groups = [[v for v, kind in zip(values, kinds, strict=True) if kind == name] for name in dict.fromkeys(kinds)]
    if min(map(len, groups)) < 2:
        return None
    parts = [len(group) * float(np.var(group, ddof=1)) / len(values) ** 2 for group in groups]
    mean, variance = float(np.mean(values)), sum(parts)
    if variance == 0.0:
        return Interval(low=mean, high=mean, confidence=confidence)
    shares = (part / variance for part in parts)
    degrees = 1 / sum(share**2 / (len(group) - 1) for share, group in zip(shares, groups, strict=True))
    half = _quantile(degrees, confidence) * math.sqrt(variance)
    return Interval(low=mean - half, high=mean + half, confidence=confidence)


@functools.cache
def _rank(count: int, confidence: float) -> int:
    """The largest k for which at most k - 1 of ``count`` fair coins show heads in (1 - confidence) / 2 of the cases."""
    bound = 2**count * Fraction((1 - confidence) / 2)
    rank, tail = 0, 1
    while tail <= bound:
        rank += 1
        tail += math.comb(count, rank)
    return rank


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Order-statistic interval of the median over independent values: the sign test, inverted.

    It asks nothing of the distribution, so heavy tails of a clock's noise do not matter; that the values come from
    kinds of instances in fixed numbers only widens it (Hoeffding 1956). Too few values for the confidence, as are left
    of a program that was stopped early, get the Student-t interval, which is conservative for symmetric heavy tails.
    """
    rank = _rank(len(values), confidence)
    if rank == 0:
        return mean_interval(values, confidence)
    ordered = sorted(values)
    return Interval(low=ordered[rank - 1], high=ordered[-rank], confidence=confidence)


def score(
    gains: Sequence[float], kinds: Sequence[str], reference_gain: float, confidence: float = CONFIDENCE
) -> tuple[float, Interval]:
    """Mean gain over the reference's mean gain, and its interval; ``kinds`` are those of the gains' instances.

    A kind met only once does not show its spread: then all gains are taken for draws of one kind, which is too wide.

    The reference's gain is the run's fixed unit: the interval holds for the ratio to the reference as it was measured
    once, and what that measurement misses by stretches all scores of the run alike.
    """
    interval = stratified_interval(gains, kinds, confidence) or mean_interval(gains, confidence)
    return float(np.mean(gains)) / reference_gain, _in_units(interval, reference_gain)


def median_score(
    gains: Sequence[float], reference_gain: float, confidence: float = CONFIDENCE
) -> tuple[float, Interval]:
    """As ``score`` with the median gain, for clocked objectives; ``reference_gain`` is a median too."""
    return float(np.median(gains)) / reference_gain, _in_units(median_interval(gains, confidence), reference_gain)


def _in_units(interval: Interval, unit: float) -> Interval:
    return Interval(low=interval.low / unit, high=interval.high / unit, confidence=interval.confidence)
