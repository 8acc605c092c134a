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
    kinds = ["a"] * len(gains)
    assert score(gains, kinds, unit)[0] == pytest.approx(1.0)
    assert score([0.0] * len(gains), kinds, unit)[0] == 0.0


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


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_kinds_that_come_in_fixed_numbers_do_not_widen_the_interval(confidence: float) -> None:
    rng = np.random.default_rng(0)
    kinds, means, spreads = ["a", "b", "c"] * 4, np.array([-5.0, 1.0, 4.0] * 4), np.array([0.1, 1.0, 0.3] * 4)
    drawn = [(means + spreads * rng.normal(size=12)).tolist() for _ in range(3000)]
    intervals = [score(gains, kinds, 1.0, confidence)[1] for gains in drawn]
    covered = np.mean([interval.low <= 0 <= interval.high for interval in intervals])
    assert confidence - 0.012 < covered < 1
    assert np.mean([interval.high - interval.low for interval in intervals]) < 2.5
    assert mean_interval(drawn[0]).high - mean_interval(drawn[0]).low > 4


def test_a_kind_met_once_gives_the_interval_that_assumes_nothing_of_kinds() -> None:
    gains = [1.0, 1.1, 5.0]
    assert score(gains, ["a", "a", "b"], 1.0)[1] == mean_interval(gains)


def test_gains_without_spread_within_their_kinds_are_certain() -> None:
    interval = score([1.0, 3.0, 1.0, 3.0], ["a", "b", "a", "b"], 2.0)[1]
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_values_aggregate_as_the_scale_says() -> None:
    assert aggregate(LOG, [1.0, 100.0]) == pytest.approx(10.0)
    assert aggregate(LINEAR, [1.0, 100.0]) == pytest.approx(50.5)


def test_nothing_on_a_log_scale_is_worse_than_a_value_that_has_no_logarithm() -> None:
    assert gain(Objective("x", Direction.MAXIMIZE, "log"), 0.0, 1.0) == -math.inf
