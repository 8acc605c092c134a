"""Programs that do the same have the same behaviour, and others have not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speciate.evaluators.behaviour import behaviour_of
from speciate.evaluators.evaluation import State
from speciate.evaluators.oracle import CallLog, OracleCall
from speciate.evaluators.trial import Trial

TRIAL = Trial(State.VALID, 0.0, {}, "", "", "", None, 0.1, 0.1, 1, 0.0)


def behaviour(output: Any, **changes: Any) -> str:
    return behaviour_of([replace(TRIAL, output=output, **changes)])


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3))
def test_a_sum_in_another_order_is_the_same_behaviour(values: list[float]) -> None:
    one, other = np.array(values) / 3.0, np.array(values) * (1 / 3.0) * (1 + 1e-14)
    rounded = np.abs(np.frexp(one)[0] * 2.0**30 % 1 - 0.5) > 1e-3
    if rounded.all():
        assert behaviour(one) == behaviour(other)


def test_time_memory_and_words_do_not_count_and_what_oracles_and_judges_see_does() -> None:
    assert behaviour(1.0, cpu_seconds=9.0, stdout="said", peak_memory=7) == behaviour(1.0)
    assert behaviour(1.0, oracle_cost=2.0) != behaviour(1.0)
    logs = [CallLog([OracleCall("value", (at,), 1.0, 1.0)]) for at in (0.1, 0.2)]
    assert behaviour(1.0, log=logs[0]) != behaviour(1.0, log=logs[1])
    assert behaviour(None, metrics={"regret": 2.0}) != behaviour(None, metrics={"regret": 2.1})


@pytest.mark.parametrize(
    "values",
    [
        [1, 1.0, "1", True, None, [1], (1,), {"a": 1}, {"a": 2}, {"b": 1}],
        [np.zeros(2), np.zeros((2, 1)), np.zeros(2, np.float32), np.array([0.0, np.nan]), np.array([0.0, np.inf])],
        [0.1, 0.1 + 1e-6, -0.1, 0.1 + 1j, 0.1 - 1j],
        [["ab", "c"], ["a", "bc"], [["ab"], "c"]],
        [np.array([1, 2]), np.array([2, 1]), np.array(["1", "2"])],
    ],
)
def test_other_outputs_are_other_behaviours(values: list[Any]) -> None:
    assert len({behaviour(value) for value in values}) == len(values)
