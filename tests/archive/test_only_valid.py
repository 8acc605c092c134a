"""Whatever evaluations come, only VALID ones with a finite score are kept, ranked or certified (D9)."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from speciate.archive import AddStatus, BehaviourSpace, Certified, Island, RunState, certifies
from speciate.evaluators import Descriptor, Evaluation, Interval, State

AXES = (Descriptor("size", 0.0, 10.0, bins=5),)
numbers = st.floats(-2, 3) | st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -0.0])
outcomes = st.tuples(st.sampled_from(State), st.none() | numbers, numbers, numbers)
evaluations = st.builds(
    lambda state, score, low, high, size: Evaluation(
        state=state,
        size="default",
        score=score,
        interval=None if low is None else Interval(low=low, high=high),
        descriptors={"size": size},
    ),
    st.sampled_from(State),
    st.none() | numbers,
    st.none() | numbers,
    numbers,
    numbers,
)


def comparable(evaluation: Evaluation) -> bool:
    return evaluation.state is State.VALID and evaluation.score is not None and math.isfinite(evaluation.score)


@given(st.lists(evaluations, max_size=30))
def test_islands_keep_only_what_is_comparable(tried: list[Evaluation]) -> None:
    island = Island(BehaviourSpace(AXES))
    for number, evaluation in enumerate(tried):
        answer = island.add(str(number), evaluation)
        assert comparable(evaluation) or answer.status is AddStatus.REJECTED
    kept = [tried[int(program)] for program in island.elites()]
    assert all(map(comparable, kept))
    best = island.best()
    assert (best is None) == (not kept)
    if best is not None:
        assert tried[int(best)].score == max(one.score for one in kept if one.score is not None)
    assert island.stats().elites == len(kept)


@given(st.lists(outcomes, min_size=1, max_size=12))
@settings(max_examples=40)
def test_nothing_that_failed_is_ranked_or_best_in_a_run(tried: list[Any]) -> None:
    from .conftest import Scripted

    state = RunState()
    for _, state in Scripted.conduct(tried, interval=2):  # noqa: B007 - the last state is looked at
        pass
    ranking = state.ranking(len(tried) + 1)
    evaluated = [state.evaluation_of(program) for program in ranking]
    assert all(map(comparable, evaluated))
    scores = [evaluation.score for evaluation in evaluated]
    assert scores == sorted(scores, key=lambda score: -(score or 0.0))
    assert (state.best is None) == (not ranking)
    assert all(
        comparable(state.evaluation_of(program)) for island in state.archipelago.islands for program in island.elites()
    )


@given(evaluations)
def test_only_what_is_comparable_and_wholly_above_the_baseline_certifies(evaluation: Evaluation) -> None:
    if certifies(evaluation):
        assert comparable(evaluation)
        assert evaluation.interval is not None
        assert evaluation.interval.low > 0


@given(evaluations)
@settings(max_examples=60)
def test_a_certificate_that_does_not_hold_makes_no_certified_best(certificate: Evaluation) -> None:
    from .conftest import Scripted

    state = RunState()
    for _, state in Scripted.conduct([(State.VALID, 0.5, 1.0, 1.0), (State.VALID, 0.9, 2.0, 1.0)]):  # noqa: B007
        pass
    program = state.ranking(1)[0]
    state.apply(Certified(program=program, evaluation=certificate))
    assert (state.certified_best is not None) == certifies(certificate)
