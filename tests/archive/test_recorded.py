"""Recorded calls come back from disk and tell equal from different."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, floating_dtypes, integer_dtypes

from speciate.archive.recorded import Call, OracleRefused, RecordedOracle, Request, difference, load, replay, save

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
numbers = arrays(st.one_of(floating_dtypes(sizes=(32, 64)), integer_dtypes(), st.just(bool)), array_shapes(min_dims=0))
values = st.recursive(
    st.one_of(scalars, numbers),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(), inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(inputs=st.dictionaries(st.text(), values, max_size=3), output=values)
def test_what_is_saved_is_loaded(tmp_path_factory: Any, inputs: dict[str, Any], output: Any) -> None:
    stem = tmp_path_factory.mktemp("recorded") / "task"
    request = Request("f", [output], output)
    save([Call(1, "solve", inputs, output, [request]), Call(2, "solve", inputs, output)], stem)
    first, second = load(stem)
    assert difference([inputs, output], [first.inputs, first.output]) is None
    assert (second.process, second.entry, second.requests) == (2, "solve", None)
    assert first.requests is not None
    assert difference(output, first.requests[0].reply) is None
    assert type(first.output) is type(output) or isinstance(output, np.ndarray)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1, 2),
        (1, True),
        (1.0, 1.001),
        ("a", "b"),
        (None, 0),
        ([1], [1, 1]),
        ({"a": 1}, {"b": 1}),
        (np.arange(3), np.arange(3.0)),
        (np.arange(3), np.arange(4)),
        (np.array([1, 2]), np.array([1, 3])),
        (np.array([1.0, math.nan]), np.array([1.0, 2.0])),
        (np.zeros((2, 1)), np.zeros((1, 2))),
        ([{"a": (1.0, np.ones(2))}], [{"a": (1.0, np.ones(2) + 1e-3)}]),
    ],
)
def test_what_differs_is_told(expected: Any, actual: Any) -> None:
    assert difference(expected, actual) is not None


def test_rounding_is_no_difference() -> None:
    assert difference(np.array([1e9, 1e-9]), np.array([1e9 * (1 + 1e-9), 0.0])) is None
    assert difference(0.1 + 0.2, 0.3) is None
    assert difference((1.0, math.nan), [1.0, math.nan]) is None


def test_a_replay_reloads_the_module_for_each_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "counting_program.py").write_text("n = 0\ndef solve(k):\n    global n\n    n += k\n    return n\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("counting_program")
    calls = [Call(1, "solve", {"k": 2}, 2), Call(1, "solve", {"k": 2}, 4), Call(2, "solve", {"k": 1}, 1)]
    assert replay(module, calls) == []
    assert replay(module, [*calls, Call(2, "solve", {"k": 1}, 9)]) == ["call 3 of solve: value is 2, recorded was 9"]
    del sys.modules["counting_program"]


def test_a_recorded_oracle_answers_only_what_was_asked() -> None:
    oracle = RecordedOracle([Request("f", [np.ones(2)], 3.0), Request("g", [1], None, refusal="the budget is spent")])
    assert oracle.f(np.ones(2)) == 3.0
    with pytest.raises(OracleRefused, match="budget"):
        oracle.g(1)
    with pytest.raises(AssertionError, match="not made"):
        oracle.g(1)
    with pytest.raises(AssertionError, match="recorded was f"):
        RecordedOracle([Request("f", [], 0)]).g()
    with pytest.raises(AssertionError, match="differs"):
        RecordedOracle([Request("f", [np.ones(2)], 0)]).f(np.zeros(2))
