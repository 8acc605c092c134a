"""Every judge of the catalogue and of the toy tasks against outputs that no honest program returns (D9)."""

from __future__ import annotations

import dataclasses
import functools
import math
import sys
import types
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from speciate.evaluators import CallLog, Instance, Task, Verdict, catalogue, load_task
from speciate.evaluators.trial import judged
from speciate.sandbox.inside.wire import DTYPES

TOYS = Path(__file__).parent.parent / "toy_tasks"
TASKS = [*catalogue(), *(str(path.parent) for path in sorted(TOYS.glob("*/task.py")))]
HUGE = 10**400

poison = (
    st.none() | st.booleans() | st.sampled_from([HUGE, -HUGE, math.nan, math.inf, -math.inf, 1j, "", "x", "nan", "0.5"])
)
spoilt_arrays = st.builds(
    lambda dtype, shape, value: np.full(shape, value).astype(dtype),
    st.sampled_from([dtype for dtype in DTYPES if dtype.kind in "cf"]),
    npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)
plain_arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9))
)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.tuples(inner, inner)
            | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=10,
    )


hostile = nested(poison | spoilt_arrays)
"""Every number in it is missing, a bool, complex, text, not finite or too large for a float."""
anything = nested(poison | spoilt_arrays | plain_arrays | st.integers() | st.floats() | st.text(max_size=5))


@functools.cache
def instances_of(name: str) -> tuple[Task, list[Instance]]:
    task = load_task(name).task
    return task, list(task.instances(np.random.default_rng(3), "smoke"))


def log_of(task: Task, instance: Instance) -> CallLog | None:
    return task.oracle(instance).log if task.oracle else None


def honest(name: str, instance: Instance) -> Any:
    """What the baseline returns, computed here: it is ours."""
    folder = load_task(name)
    names: dict[str, Any] = {}
    package = types.ModuleType("helpers")
    package.__path__ = [str(folder.helpers)]
    with mock.patch.dict(sys.modules, {"helpers": package}):
        exec(compile(folder.baseline, "baseline.py", "exec"), names)
        return names[folder.task.entry.name](**instance.inputs)


SPOILT = {
    "nan": lambda array: array.astype(float) * math.nan,
    "infinity": lambda array: array + math.inf,
    "complex": lambda array: array + 0j,
    "text": lambda array: array.astype(str).tolist(),
    "one more axis": lambda array: array[None],
    "twice": lambda array: np.stack([array, array]),
    "flat": lambda array: np.append(array.reshape(-1), array.reshape(-1)[:1]),
    "huge": lambda array: [HUGE] * len(array),
    "a dict": lambda array: {"0": array},
    "ragged": lambda array: [array.tolist(), 0.0],
}


def judge(name: str, index: int, output: Any) -> Verdict:
    task, instances = instances_of(name)
    instance = instances[index % len(instances)]
    verdict = judged(task, instance, output, log_of(task, instance))
    assert type(verdict) is Verdict
    assert isinstance(verdict.note, str)
    return verdict


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", TASKS, ids=lambda name: Path(name).name)
def test_no_hostile_output_is_valid(name: str) -> None:
    @settings(max_examples=60)
    @given(hostile, st.integers(0, 9))
    def throw(output: Any, index: int) -> None:
        assert not judge(name, index, output).valid

    throw()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", TASKS, ids=lambda name: Path(name).name)
def test_whatever_comes_gets_a_verdict_and_finite_metrics_where_it_is_valid(name: str) -> None:
    @settings(max_examples=60)
    @given(anything, st.integers(0, 9))
    def throw(output: Any, index: int) -> None:
        verdict = judge(name, index, output)
        assert not verdict.valid or all(map(math.isfinite, verdict.metrics.values()))

    throw()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", [name for name in TASKS if instances_of(name)[0].style == "function"])
def test_an_honest_output_with_one_fault_is_not_valid(name: str) -> None:
    for index, instance in enumerate(instances_of(name)[1]):
        output = honest(name, instance)
        assert judge(name, index, output).valid
        several = list(output) if isinstance(output, tuple) else None
        array = np.asarray(output if several is None else several[0])
        if array.dtype.kind not in "iuf":
            continue
        for fault, spoil in SPOILT.items():
            wrong = spoil(array)
            assert not judge(name, index, wrong if several is None else (wrong, *several[1:])).valid, fault


def test_a_judge_that_is_not_total_gives_nothing() -> None:
    task, instances = instances_of(str(TOYS / "linear"))
    errors: list[Any] = [HUGE, math.nan, math.inf, "y"]
    answers: list[Any] = [None, 3, *(Verdict(True, {"error": error}) for error in errors)]
    for answer in answers:
        careless = dataclasses.replace(task, judge=lambda *_, answer=answer: answer)
        assert not judged(careless, instances[0], None, None).valid
