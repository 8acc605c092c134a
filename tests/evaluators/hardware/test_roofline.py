"""The least that the hardware needs, from ceilings that are given."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speciate.evaluators import Instance, Measure, Task, array_bytes, input_bytes, load_task
from speciate.evaluators.hardware import SLACK, Ceilings, Roof, roof

TIMED = load_task(str(Path(__file__).parent.parent.parent / "toy_tasks" / "timed")).task
INSTANCE = Instance("one", {"X": np.zeros(8)})


def task(flops: float | None = None, size: float | None = None, **others: Any) -> Task:
    declared = {"flops": flops and (lambda instance: flops), "bytes": size and (lambda instance: size)}
    return replace(TIMED, **declared, **others)


def made(one: Task, ceilings: Ceilings) -> Roof:
    found = roof(one, ceilings)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("flops", "size", "least", "bound"),
    [
        (200e9, None, 1.0, "arithmetic"),
        (None, 20e9, 1.0, "memory"),
        (None, 1e6, 1e-5, "memory"),
        (100e9, 20e9, 1.0, "memory"),
        (400e9, 20e9, 2.0, "arithmetic"),
    ],
)
def test_it_is_what_takes_longer_at_the_speed_of_the_level_that_holds_the_data(
    flops: float | None, size: float | None, least: float, bound: str, ceilings: Ceilings
) -> None:
    limit = made(task(flops, size), ceilings)
    reached = limit.over(INSTANCE, 4.0)
    assert reached is not None
    assert reached.seconds == limit.least(INSTANCE) == pytest.approx(least)
    assert reached.fraction == pytest.approx(least / 4.0)
    assert reached.bound == bound


@pytest.mark.parametrize(("precision", "least"), [("bfloat16", 1.0), ("tf32", 2.0), ("float32", 2.0), ("float64", 4.0)])
def test_arithmetic_may_be_as_imprecise_as_the_task_allows(precision: Any, least: float, ceilings: Ceilings) -> None:
    assert made(task(200e9, precision=precision), ceilings).least(INSTANCE) == pytest.approx(least)


def test_a_level_that_is_slower_than_the_memory_bounds_nothing(ceilings: Ceilings) -> None:
    rates = ceilings.cpu[0]
    slow = rates.bandwidths[0].model_copy(update={"copied": 1e9, "read": 1e9})
    odd = rates.model_copy(update={"bandwidths": (slow, rates.bandwidths[1])})
    assert odd.bandwidth(10) == odd.bandwidth(1e12) == 20e9


def test_all_cores_are_not_slower_than_one_of_them(ceilings: Ceilings) -> None:
    one, four = ceilings.cpu
    assert one.at_least(four) == four.model_copy(update={"threads": 1})
    assert four.at_least(one) == four


def test_a_task_that_says_nothing_has_no_limit(ceilings: Ceilings) -> None:
    assert roof(TIMED, ceilings) is None
    assert roof(task(1.0), None) is None


def test_an_instance_that_asks_nothing_has_none_either(ceilings: Ceilings) -> None:
    nothing = replace(TIMED, bytes=lambda instance: 0.0)
    assert made(nothing, ceilings).over(INSTANCE, 1.0) is None


def test_which_rates_apply_and_whether_they_bind(ceilings: Ceilings) -> None:
    def measured(measure: Measure, **limits: float) -> Roof | None:
        objective = replace(TIMED.objective, measure=measure)
        return roof(task(1e9, objective=objective, limits=replace(TIMED.limits, **limits)), ceilings)

    one, four = ceilings.cpu
    found = {
        "cpu": measured(Measure.CPU_SECONDS, cpus=4.0),
        "wall": measured(Measure.WALL_SECONDS, cpus=3.0),
        "metric": measured(Measure.METRIC),
        "gpu": measured(Measure.WALL_SECONDS, gpus=1.0),
    }
    assert {name: (limit.rates, limit.binds) for name, limit in found.items() if limit} == {
        "cpu": (one, True),
        "wall": (four, False),
        "metric": (one, False),
        "gpu": (ceilings.gpus[0], True),
    }
    assert roof(task(1e9, limits=replace(TIMED.limits, gpus=1.0)), ceilings.model_copy(update={"gpus": ()})) is None


def test_only_what_is_well_above_the_limit_is_too_fast(ceilings: Ceilings) -> None:
    limit = made(task(200e9), ceilings)
    for seconds, believed in ((2.0, True), (1.01 / SLACK, True), (0.99 / SLACK, False)):
        reached = limit.over(INSTANCE, seconds)
        assert reached is not None
        assert (limit.excess(reached) == "") is believed
    reached = limit.over(INSTANCE, 0.1)
    assert reached is not None
    assert limit.excess(reached) == "took 0.1 s, where the hardware needs 1 s for the arithmetic"
    assert replace(limit, binds=False).excess(reached) == ""


def test_bytes_of_plain_data_are_those_of_its_arrays() -> None:
    assert array_bytes({"x": np.zeros((3, 4)), "more": [np.zeros(2, np.float32), (np.int8(1), "text")], "n": 5}) == 105
    assert input_bytes(INSTANCE) == 64
