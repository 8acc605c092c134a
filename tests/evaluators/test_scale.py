import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speciate.evaluators import Direction, Objective
from speciate.evaluators.scoring import aggregate, gain, mean_interval, score

LOG = Objective("time", Direction.MINIMIZE, "log")
LINEAR = Objective("error", Direction.MINIMIZE, "linear")
UP = Objective("digits", Direction.MAXIMIZE, "linear")
positive = st.floats(1e-6, 1e6)


@given(positive, positive, st.floats(1e-3, 1e3))
def test_a_log_scale_knows_ratios_only(value: float, baseline: float, unit: float) -> None:
    assert gain(LOG, value * unit, baseline * unit) == pytest.approx(gain(LOG, value, baseline), abs=1e-9)


@given(positive, positive)
def test_better_is_a_gain_in_both_directions(one: float, other: float) -> None:
    assert (gain(LOG, one, other) > 0) == (math.log(one) < math.log(other))
    assert (gain(LINEAR, one, other) > 0) == (one < other)
    assert (gain(UP, one, other) > 0) == (one > other)


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=9))
def test_the_reference_scores_one_and_the_baseline_zero(gains: list[float]) -> None:
    unit = float(np.mean(gains))
    assert score(gains, unit)[0] == pytest.approx(1.0)
    assert score([0.0] * len(gains), unit)[0] == 0.0


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=9))
def test_the_interval_holds_the_mean_and_is_symmetric(values: list[float]) -> None:
    interval, mean = mean_interval(values), float(np.mean(values))
    assert interval.low <= mean + 1e-12
    assert mean - interval.low == pytest.approx(interval.high - mean, abs=1e-9)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    intervals = [mean_interval(rng.normal(size=5).tolist()) for _ in range(2000)]
    covered = np.mean([interval.low <= 0 <= interval.high for interval in intervals])
    assert 0.93 < covered < 0.97


def test_values_aggregate_as_the_scale_says() -> None:
    assert aggregate(LOG, [1.0, 100.0]) == pytest.approx(10.0)
    assert aggregate(LINEAR, [1.0, 100.0]) == pytest.approx(50.5)


def test_nothing_on_a_log_scale_is_worse_than_a_value_that_has_no_logarithm() -> None:
    assert gain(Objective("x", Direction.MAXIMIZE, "log"), 0.0, 1.0) == -math.inf
