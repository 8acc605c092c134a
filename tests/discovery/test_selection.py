"""Who becomes a parent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from speciate.archive import ArchiveSettings, Evaluated, Program, Proposed, RunStarted, RunState
from speciate.discovery.config import ConfigError, SelectionSettings
from speciate.discovery.selection import parent_selector
from speciate.evaluators import Descriptor, Evaluation, State
from speciate.evaluators.evaluation import InstanceResult

AXES = (Descriptor("place", 0.0, 10.0, bins=10),)


def state_of(programs: Sequence[tuple[float, Sequence[float], int]]) -> RunState:
    """Programs by score, gains per instance and length in statements; each in a cell of its own, children of none."""
    state = RunState()
    archive = ArchiveSettings.of(AXES)
    state.apply(
        RunStarted(
            task="t", task_path="/t", task_digest="d", config={}, archive=archive, seed=0, secret="00", version="0"
        )
    )
    for index, (score, gains, length) in enumerate(programs):
        program = Program.of(f"x = {index}\n" * length)
        state.apply(
            Proposed(
                index=index,
                island=0,
                files=dict(program.files),
                program=program.id,
                parents=(),
                operator="mutate" if index else "seed",
                proposer="scripted",
            )
        )
        instances = tuple(InstanceResult(name=str(i), state=State.VALID, gain=gain) for i, gain in enumerate(gains))
        evaluation = Evaluation(
            state=State.VALID,
            size="default",
            score=score,
            descriptors={"place": index + 0.5},
            metrics={"error": float(index)},
            instances=instances,
        )
        state.apply(Evaluated(index=index, evaluation=evaluation))
    return state


def drawn(state: RunState, draws: int = 2000, **settings: Any) -> Counter[int]:
    """How often each program, by its index, becomes a parent."""
    selector = parent_selector(SelectionSettings(**settings))
    rng = np.random.default_rng(0)
    elites = state.archipelago.islands[0].elites()
    indices = {program: proposed.index for program, proposed in state.proposals.items()}
    return Counter(indices[selector.select(elites, state, rng)] for _ in range(draws))


STATE = state_of([(0.0, (0, 0), 3), (0.3, (1, 0), 2), (0.2, (0, 5), 9), (0.3, (1, 4), 4), (-1.0, (0, 0), 1)])


def test_uniform_and_tournament() -> None:
    assert max(drawn(STATE, parents="uniform").values()) < 500
    counts = drawn(STATE, parents="tournament", tournament=3)
    assert counts[1] + counts[3] > 1500


def test_uniform_selection_is_uniform_over_the_filled_cells_whatever_their_scores() -> None:
    """Row map_elites."""
    from scipy.stats import chisquare

    state = state_of([(math.expm1(index), (), index % 7 + 1) for index in range(10)])
    counts = drawn(state, 100_000, parents="uniform")
    assert set(counts) == set(range(10))
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_a_tournament_prefers_the_baselines_zero_to_less() -> None:
    state = state_of([(0.0, (), 1), (-1.0, (), 2)])
    assert drawn(state, parents="tournament", tournament=12)[0] > 1900


def test_softmax_follows_the_boltzmann_weights() -> None:
    counts = drawn(STATE, parents="softmax", temperature=0.1)
    assert counts[1] / counts[2] == pytest.approx(math.e, rel=0.25)
    assert counts[4] == 0


def test_weighted_prefers_good_programs_with_few_children() -> None:
    counts = drawn(STATE, parents="weighted")
    assert counts[4] < counts[0] < counts[1]
    parent = list(STATE.proposals)[1]
    state = state_of([(0.0, (), 3), (0.3, (), 2), (0.2, (), 9), (0.3, (), 4)])
    assert drawn(state, parents="weighted")[1] == pytest.approx(counts[3], abs=250)
    child = Program.of("y = 1")
    for index in range(10, 14):
        child = Program.of(f"y = {index}")
        state.apply(
            Proposed(
                index=index,
                island=0,
                files=dict(child.files),
                program=child.id,
                parents=(parent,),
                operator="mutate",
                proposer="scripted",
            )
        )
    burdened = drawn(state, parents="weighted")
    assert burdened[1] < burdened[3] / 3


def test_instance_front_draws_by_the_number_of_instances_won() -> None:
    counts = drawn(STATE, parents="instance_front")
    assert set(counts) == {1, 2, 3}
    state = state_of([(0.0, (0, 0, 0), 1), (1.0, (3, 3, 0), 2), (0.5, (0, 0, 9), 2)])
    counts = drawn(state, parents="instance_front")
    assert counts[1] / counts[2] == pytest.approx(2, rel=0.2)
    assert counts[0] == 0


def test_pareto_keeps_small_programs_beside_good_ones() -> None:
    assert set(drawn(STATE, parents="pareto")) == {1, 4}
    assert set(drawn(STATE, parents="pareto", secondary={"error": "maximize"})) == {3, 4}
    with pytest.raises(ConfigError, match=r"'beauty'.*code_size.*error|'beauty'.*error.*code_size"):
        drawn(STATE, parents="pareto", secondary={"beauty": "maximize"})


def test_baseline_incumbent_and_beam() -> None:
    assert set(drawn(STATE, parents="baseline")) == {0}
    assert set(drawn(STATE, parents="incumbent")) == {3}  # not worse than program 1, and later
    assert set(drawn(STATE, parents="beam", beam=3)) == {1, 2, 3}
