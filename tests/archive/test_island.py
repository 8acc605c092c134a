"""What an island keeps."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speciate.archive import AddStatus, BehaviourSpace, Island
from speciate.archive.space import Cell
from speciate.evaluators import Descriptor, Evaluation, State

AXES = (Descriptor("size", 0.0, 10.0, bins=5), Descriptor("cost", 1e-2, 1e2, bins=4, scale="log"))


def valid(score: float, size: float = 1.0, cost: float = 1.0) -> Evaluation:
    return Evaluation(state=State.VALID, size="default", score=score, descriptors={"size": size, "cost": cost})


def test_strictly_better_displaces_and_a_tie_keeps_the_incumbent() -> None:
    island = Island(BehaviourSpace(AXES))
    assert island.add("a", valid(0.5)).status is AddStatus.NEW
    assert island.add("b", valid(0.5)).status is AddStatus.REJECTED
    improved = island.add("c", valid(0.75))
    assert (improved.status, improved.improvement, improved.displaced) == (AddStatus.IMPROVED, 0.25, "a")
    assert island.elites() == ["c"]
    assert island.best() == "c"


def test_other_cells_keep_their_own_elites_even_where_they_score_less() -> None:
    island = Island(BehaviourSpace(AXES))
    island.add("good", valid(1.0, size=1.0))
    assert island.add("other", valid(-3.0, size=9.0)).status is AddStatus.NEW
    assert set(island.elites()) == {"good", "other"}
    assert island.best() == "good"


@pytest.mark.parametrize("state", [state for state in State if state is not State.VALID])
def test_only_valid_programs_enter_whatever_their_score(state: State) -> None:
    island = Island(BehaviourSpace(AXES))
    answer = island.add("a", valid(9.0).model_copy(update={"state": state}))
    assert answer.status is AddStatus.REJECTED
    assert answer.reason == state.value
    assert island.elites() == []


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["score", "size", "cost"])
def test_what_is_not_finite_never_enters(bad: float, where: str) -> None:
    island = Island(BehaviourSpace(AXES))
    arguments: dict[str, Any] = {"score": 1.0, where: bad}
    assert island.add("a", valid(**arguments)).status is AddStatus.REJECTED
    assert island.elites() == []


def test_a_missing_descriptor_or_score_is_rejected() -> None:
    island = Island(BehaviourSpace(AXES))
    assert island.add("a", valid(1.0).model_copy(update={"descriptors": {"size": 1.0}})).status is AddStatus.REJECTED
    assert island.add("a", valid(1.0).model_copy(update={"score": None})).status is AddStatus.REJECTED


@pytest.mark.parametrize(
    ("size", "cost", "cell"),
    [
        (0.0, 1e-2, (0, 0)),
        (1.999, 0.0999, (0, 0)),
        (2.0, 0.1, (1, 1)),
        (10.0, 1e2, (4, 3)),
        (-5.0, 0.0, (0, 0)),
        (1e300, 1e300, (4, 3)),
    ],
)
def test_cells_have_fixed_edges_and_clip_outside(size: float, cost: float, cell: tuple[int, int]) -> None:
    assert BehaviourSpace(AXES).cell({"size": size, "cost": cost}) == cell


def test_decimal_edges_belong_to_the_upper_bin() -> None:
    space = BehaviourSpace((Descriptor("x", 0.0, 1.0, bins=100),))
    assert [space.cell({"x": i / 100}) for i in range(100)] == [(i,) for i in range(100)]


@pytest.mark.parametrize(
    "axis",
    [
        Descriptor("x", 1.0, 1.0),
        Descriptor("x", 2.0, 1.0),
        Descriptor("x", 0.0, math.inf),
        Descriptor("x", 0.0, 1.0, scale="log"),
        Descriptor("x", 0.0, 1.0, bins=0),
    ],
)
def test_bounds_that_make_no_axis_are_refused(axis: Descriptor) -> None:
    with pytest.raises(ValueError, match="descriptor x"):
        BehaviourSpace((axis,))


def test_statistics_count_cells_and_quality_above_the_baseline() -> None:
    island = Island(BehaviourSpace(AXES))
    island.add("a", valid(0.5, size=1.0))
    island.add("b", valid(1.5, size=5.0))
    island.add("c", valid(-2.0, size=9.0))
    stats = island.stats()
    assert (stats.elites, stats.coverage, stats.qd_score, stats.best) == (3, 3 / 20, 2.0, 1.5)
    assert stats.norm_qd_score == 2.0 / 20
    assert stats.mean == 0.0


def test_scores_whose_sum_overflows_have_statistics_too() -> None:
    island = Island(BehaviourSpace(AXES))
    for size in (1.0, 5.0, 9.0):
        island.add(str(size), valid(-1.5e308, size))
    assert island.stats().mean == -math.inf
    assert island.stats().qd_score == 0.0


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-1, 11), st.floats(1e-3, 1e3)), max_size=60))
def test_quality_and_coverage_never_fall_and_the_best_is_never_lost(
    additions: list[tuple[float, float, float]],
) -> None:
    island, before = Island(BehaviourSpace(AXES)), None
    for number, (score, size, cost) in enumerate(additions):
        island.add(str(number), valid(score, size, cost))
        after = island.stats()
        assert after.best == max(s for s, _, _ in additions[: number + 1])
        if before is not None:
            assert after.qd_score >= before.qd_score
            assert after.coverage >= before.coverage
        before = after


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.floats(-1, 11), st.floats(1e-3, 1e3)), unique_by=lambda one: one[0]),
    st.randoms(use_true_random=False),
)
def test_of_distinct_scores_the_order_of_additions_does_not_matter(
    additions: list[tuple[int, float, float]], random: Random
) -> None:
    """Row map_elites."""
    shuffled = random.sample(additions, len(additions))
    first, second = Island(BehaviourSpace(AXES)), Island(BehaviourSpace(AXES))
    for island, order in ((first, additions), (second, shuffled)):
        for score, size, cost in order:
            island.add(str(score), valid(score, size, cost))
    assert first.elites_by_cell == second.elites_by_cell
    assert first.best() == second.best()


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(1e-3, 1e3)), min_size=1, max_size=60))
def test_every_bin_of_cost_keeps_its_most_precise_program(programs: list[tuple[float, float]]) -> None:
    """Row autonumerics_zero: with cost as an axis, the archive holds the front of precision and cost at its bins."""
    island, axis = Island(BehaviourSpace(AXES[1:])), BehaviourSpace(AXES[1:])
    for number, (precision, cost) in enumerate(programs):
        island.add(str(number), valid(precision, cost=cost))
    best: dict[Cell, float] = {}
    for precision, cost in programs:
        cell = axis.cell({"cost": cost})
        assert cell is not None
        best[cell] = max(precision, best.get(cell, precision))
    assert {cell: elite.score for cell, elite in island.elites_by_cell.items()} == best
