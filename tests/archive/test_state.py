"""The run's state is the fold of its events, live or replayed."""

from __future__ import annotations

import contextlib
import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speciate.archive import (
    Certified,
    Evaluated,
    IslandReset,
    Journal,
    JournalError,
    Migrated,
    Program,
    Resumed,
    RunState,
    Stopped,
    moved,
    replay,
    verify,
)
from speciate.evaluators import Evaluation, Interval, State

scores = st.one_of(st.none(), st.integers(-8, 8).map(lambda n: n / 4))
places = st.tuples(st.floats(-1, 11), st.floats(1e-3, 1e3))
outcomes = st.lists(
    st.one_of(
        st.none(),
        st.builds(lambda state, score, place: (state, score, *place), st.sampled_from(State), scores, places),
        st.builds(lambda score, place: (State.VALID, score, *place), st.integers(-8, 8).map(lambda n: n / 4), places),
    ),
    max_size=40,
)


def fold(events: list[Any]) -> RunState:
    state = RunState()
    for event in events:
        state.apply(event)
    return state


archives = st.fixed_dictionaries(
    {
        "topology": st.sampled_from(["ring", "star", "full", "random"]),
        "reset_interval": st.none() | st.integers(1, 7),
        "stagnation": st.none() | st.integers(1, 6),
        "max_islands": st.integers(1, 6),
        "archive": st.sampled_from(["grid", "unstructured", "single"]),
        "axes": st.sampled_from(["all", "omit_one"]),
        "novelty": st.floats(0.01, 0.5),
        "neighbours": st.integers(1, 4),
    }
)


@settings(max_examples=100)
@given(outcomes=outcomes, islands=st.integers(1, 4), interval=st.integers(1, 7), archive=archives)
def test_a_replay_equals_the_live_state(
    scripted: Any, outcomes: list[Any], islands: int, interval: int, archive: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        live = RunState()
        with contextlib.closing(Journal.create(Path(folder) / "run")) as journal:
            for event, state in scripted.conduct(outcomes, islands, interval, **archive):
                journal.append(event)
                live = state
        with contextlib.closing(Journal.open(Path(folder) / "run", readonly=True)) as journal:
            again = replay(journal)
            assert again == live
            assert [island.stats() for island in again.archipelago.islands] == [
                island.stats() for island in live.archipelago.islands
            ]
            report = verify(journal)
        assert report.problems == ()
        assert report.evaluations == live.evaluations


@settings(max_examples=60)
@given(outcomes=outcomes, islands=st.integers(2, 4), interval=st.integers(1, 4))
def test_migration_fills_no_cell_twice_and_loses_no_elite(
    scripted: Any, outcomes: list[Any], islands: int, interval: int
) -> None:
    for _, state in scripted.conduct(outcomes, islands, interval):
        for island in state.archipelago.islands:
            programs = island.elites()
            assert len(programs) == len(set(programs)) == len(island.elites_by_cell)
            for cell, elite in island.elites_by_cell.items():
                evaluation = state.evaluation_of(elite.program)
                assert island.space.cell(evaluation.descriptors) == cell
                assert evaluation.score == elite.score


def valid(score: float, size: float = 1.0) -> tuple[State, float, float, float]:
    return (State.VALID, score, size, 1.0)


def test_the_baseline_seeds_every_island(scripted: Any) -> None:
    state = fold(scripted.events([valid(0.0)], islands=3))
    assert [island.elites() for island in state.archipelago.islands] == [[state.baseline]] * 3


def test_the_best_elite_moves_around_the_ring(scripted: Any) -> None:
    events = scripted.events([valid(0.0), valid(2.0), valid(1.0)], islands=3, interval=3)
    moves = [event for event in events if isinstance(event, Migrated)]
    best = fold(events).best
    assert best is not None
    assert (best[0], 1, 2) in [(move.program, move.source, move.target) for move in moves]
    assert fold(events).archipelago.islands[2].best() == best[0]


def test_a_kill_between_evaluation_and_migration_leaves_the_migration_due(scripted: Any) -> None:
    events = scripted.events([valid(0.0), valid(2.0), valid(1.0)], islands=2, interval=3)
    moves = [event for event in events if isinstance(event, Migrated)]
    assert moves
    state = fold([event for event in events if event is not moves[-1]])
    assert moves[-1] == moved(moves[-1].index, state.archipelago.due()[-1])
    state.apply(moves[-1])
    assert state == fold(events)


def test_infra_stays_pending_and_is_charged_to_nobody(scripted: Any) -> None:
    events = scripted.events([valid(0.0), (State.INFRA, None, 1.0, 1.0)])
    state = fold(events)
    assert list(state.pending) == [1]
    assert state.evaluations == 1
    assert state.counts[State.INFRA] == 1
    program = state.pending[1].program
    assert state.seen(program)
    assert state.evaluation_or_none(program) is None
    state.apply(Evaluated(index=1, evaluation=scripted.evaluation(valid(1.0))))
    assert state.pending == {}
    assert state.best is not None
    assert state.best[0] == program


def test_the_best_is_the_highest_valid_score_then_the_smaller_program(scripted: Any) -> None:
    state = RunState()
    state.apply(scripted.started())
    long, short = (
        Program.of("def solve(x):\n    y = x + 1\n    return y\n"),
        Program.of("def solve(x):\n    return x\n"),
    )
    for index, program in enumerate((long, short)):
        update = {"files": dict(program.files), "program": program.id}
        state.apply(scripted.proposed(index).model_copy(update=update))
        state.apply(Evaluated(index=index, evaluation=scripted.evaluation(valid(1.0))))
    state.apply(scripted.proposed(2))
    state.apply(Evaluated(index=2, evaluation=scripted.evaluation((State.QUARANTINED, 9.0, 1.0, 1.0))))
    assert state.best is not None
    assert state.best[0] == short.id
    assert state.ranking(5) == [short.id, long.id]


def test_no_score_that_is_not_finite_becomes_the_best(scripted: Any) -> None:
    state = fold(scripted.events([valid(0.5), valid(math.nan), valid(math.inf), valid(0.25)]))
    assert state.best is not None
    assert state.best[1].score == 0.5
    assert len(state.ranking(9)) == 2


def test_lineage_runs_to_the_baseline_and_children_run_back(scripted: Any) -> None:
    state = fold(scripted.events([valid(0.0), valid(1.0), valid(2.0)]))
    baseline, middle, last = state.proposals
    assert state.lineage(last) == [last, middle, baseline]
    assert state.children(baseline) == [middle]
    assert state.program(last).source == state.proposals[last].files["program.py"]


def test_only_a_certificate_that_holds_makes_a_certified_best(scripted: Any) -> None:
    state = fold(scripted.events([valid(0.0), valid(1.0), valid(2.0)]))
    _, middle, last = state.proposals

    def certificate(score: float, low: float) -> Evaluation:
        interval = Interval(low=low, high=score + 1)
        return Evaluation(state=State.VALID, size="default", score=score, interval=interval)

    state.apply(Certified(program=last, evaluation=certificate(1.9, -0.1)))
    assert state.certified_best is None
    state.apply(Certified(program=middle, evaluation=certificate(0.9, 0.5)))
    assert state.certified_best is not None
    assert state.certified_best[0] == middle


def test_counters_of_a_run(scripted: Any) -> None:
    state = fold(
        [*scripted.events([valid(0.0), None, (State.CRASHED, None, 1.0, 1.0)]), Stopped(reason="time", seconds=1)]
    )
    assert (state.next_index(), state.evaluations, state.valid, state.spent.tokens) == (3, 2, 1, 5)
    assert state.stopped == "time"
    state.apply(Resumed())
    assert state.stopped is None


def test_an_evaluation_without_its_proposal_is_refused(scripted: Any) -> None:
    with pytest.raises(JournalError, match="out of order"):
        fold([scripted.started(), Evaluated(index=0, evaluation=scripted.evaluation(valid(0.0)))])
    with pytest.raises(JournalError, match="does not begin"):
        RunState().archipelago


def test_a_move_that_is_not_due_is_refused(scripted: Any) -> None:
    state = fold(scripted.events([valid(0.0), valid(1.0)], interval=50))
    with pytest.raises(JournalError, match="out of order"):
        state.apply(Migrated(index=1, program=state.baseline, source=0, target=1))
    with pytest.raises(JournalError, match="out of order"):
        state.apply(IslandReset(index=1, program=state.baseline, source=0, target=1))
