"""What moves between islands, and when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speciate.archive import Archipelago, ArchiveSettings, Move
from speciate.evaluators import Descriptor, Evaluation, State

AXES = (Descriptor("size", 0.0, 10.0, bins=5), Descriptor("cost", 0.0, 1.0, bins=4))


def valid(score: float, size: float = 1.0, cost: float = 0.5) -> Evaluation:
    return Evaluation(state=State.VALID, size="default", score=score, descriptors={"size": size, "cost": cost})


def archipelago(islands: int, seed: int = 0, **others: Any) -> Archipelago:
    settings: dict[str, Any] = {"migration_interval": 10_000} | others
    made = ArchiveSettings.of(AXES, islands=islands, **settings)
    return Archipelago.of(made, seed)


def filled(scores: list[float], **others: Any) -> Archipelago:
    """One program, named by its island, per island; counted once each."""
    made = archipelago(len(scores), **others)
    for island, score in enumerate(scores):
        made.add(island, f"p{island}", valid(score))
        made.count()
    return made


def carry_out(world: Archipelago, move: Move, score: float) -> None:
    world.carry_out(move)
    world.add(move.target, move.program, valid(score))


@given(scores=st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=9), seed=st.integers(0, 50))
def test_a_reset_empties_the_weaker_half_and_re_seeds_it_from_survivors(scores: list[float], seed: int) -> None:
    world = filled(scores, seed=seed, reset_interval=len(scores))
    moves = world.due()
    count = len(scores)
    weaker = {move.target for move in moves}
    survivors = set(range(count)) - weaker
    assert len(moves) == len(weaker) == count // 2
    assert all(scores[lost] <= scores[kept] for lost in weaker for kept in survivors)
    assert {move.source for move in moves} <= survivors
    before = max(scores)
    for move in moves:
        assert move == Move("island_reset", f"p{move.source}", move.source, move.target)
        carry_out(world, move, scores[move.source])
        assert world.islands[move.target].elites() == [move.program]
    assert max(island.top or 0.0 for island in world.islands) == max(before, 0.0) or before < 0
    assert {island.top for island in world.islands} <= {scores[kept] for kept in survivors}
    assert world.due() == []
    assert filled(scores, seed=seed, reset_interval=count).due() == moves


def test_the_founder_is_drawn_from_all_survivors() -> None:
    sources = {filled([1.0, 2.0, 3.0, 4.0], seed=seed, reset_interval=4).due()[0].source for seed in range(40)}
    assert sources == {2, 3}


def test_an_island_is_added_when_nothing_gets_better_and_only_up_to_the_maximum() -> None:
    world = archipelago(1, stagnation=3, max_islands=3)
    world.add(0, "a", valid(1.0))
    grown_at = []
    for step in range(1, 20):
        world.count()
        for move in world.due():
            assert move == Move("island_added", "a", 0, len(world.islands)) or move.source > 0
            carry_out(world, move, 1.0)
            grown_at.append(step)
    assert grown_at == [4, 7]
    assert [island.elites() for island in world.islands] == [["a"]] * 3


def test_progress_puts_growth_off() -> None:
    world = archipelago(1, stagnation=3, max_islands=3)
    for step in range(20):
        world.add(0, str(step), valid(float(step // 2)))
        world.count()
        assert world.due() == []


@pytest.mark.parametrize("topology", ["ring", "star", "full", "random"])
def test_migration_follows_the_topology(topology: str) -> None:
    world = filled([3.0, 2.0, 1.0, 0.0], topology=topology, migration_interval=4)
    moves = {(move.source, move.target) for move in world.due()}
    expected = {
        "ring": {(0, 1), (1, 2), (2, 3), (3, 0)},
        "star": {(0, 1), (0, 2), (0, 3), (1, 0), (2, 0), (3, 0)},
        "full": {(i, j) for i in range(4) for j in range(4) if i != j},
    }
    if topology in expected:
        assert moves == expected[topology]
    assert {source for source, _ in moves} == {0, 1, 2, 3}


def test_what_is_not_due_cannot_be_carried_out() -> None:
    world = filled([1.0, 2.0])
    with pytest.raises(LookupError):
        world.carry_out(Move("migrated", "p0", 0, 1))


@pytest.mark.parametrize("archive", ["grid", "unstructured"])
def test_islands_can_leave_out_one_axis_in_turn(archive: str) -> None:
    world = archipelago(4, axes="omit_one", archive=archive, neighbours=1)
    for number, (size, cost) in enumerate([(1.0, 0.1), (9.0, 0.1), (1.0, 0.9)]):
        for island in range(4):
            world.add(island, str(number), valid(float(number), size, cost))
    kept = [set(island.elites()) for island in world.islands]
    assert kept == [{"0", "1", "2"}, {"1", "2"}, {"1", "2"}, {"1", "2"}]
    assert world.islands[1].space.cell({"cost": 0.5}) is not None  # without size
    assert world.islands[1].space.cell({"size": 0.5}) is None
    assert world.islands[2].space.cell({"size": 0.5}) is not None


def test_a_single_axis_is_never_left_out() -> None:
    one = ArchiveSettings.of(AXES[:1], islands=3, axes="omit_one")
    assert [one.axes_of(island) for island in range(3)] == [(0,)] * 3


def test_one_cell_keeps_the_best_whatever_its_descriptors() -> None:
    world = archipelago(1, archive="single")
    world.add(0, "a", valid(1.0, size=1.0))
    world.add(0, "b", valid(2.0, size=9.0))
    world.add(0, "c", valid(1.5, size=5.0))
    assert world.islands[0].elites() == ["b"]


places = st.lists(st.tuples(st.floats(-2, 2), st.floats(0, 10), st.floats(0, 1)), max_size=60)


@given(additions=places, neighbours=st.integers(1, 6))
def test_an_unstructured_archive_never_loses_its_best_nor_an_elite_to_a_worse_one(
    additions: list[tuple[float, float, float]], neighbours: int
) -> None:
    (island,) = archipelago(1, archive="unstructured", novelty=0.2, neighbours=neighbours).islands
    kept: list[float] = []
    for number, (score, size, cost) in enumerate(additions):
        island.add(str(number), valid(score, size, cost))
        now = [elite.score for elite in island.elites_by_cell.values()]
        assert all(new >= old for new, old in zip(now, kept, strict=False))
        assert len(now) - len(kept) in (0, 1)
        assert island.top == max(score for score, _, _ in additions[: number + 1])
        kept = now
