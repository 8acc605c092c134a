"""Programs that nothing else beats in every respect."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from speciate.archive.fronts import InstanceFront, pareto
from speciate.evaluators import Evaluation, State
from speciate.evaluators.evaluation import InstanceResult


def evaluation(*gains: float | None) -> Evaluation:
    instances = tuple(
        InstanceResult(name=f"i{number}", state=State.VALID, gain=gain) for number, gain in enumerate(gains)
    )
    return Evaluation(state=State.VALID, size="default", score=0.0, instances=instances)


def test_the_best_on_one_instance_stays_although_its_mean_is_worse() -> None:
    front = InstanceFront()
    front.add("even", evaluation(1.0, 1.0, 1.0))
    front.add("special", evaluation(-9.0, 2.0, -9.0))
    front.add("poor", evaluation(0.5, 1.5, 0.5))
    front.add("equal", evaluation(1.0, 0.0, math.nan))
    front.add("unmeasured", evaluation(None, math.inf, None))
    assert front.wins() == {"even": 2, "special": 1, "equal": 1}


def test_a_program_that_is_measured_again_wins_an_instance_once() -> None:
    front = InstanceFront()
    for _ in range(3):
        front.add("again", evaluation(1.0, 2.0))
    assert front.wins() == {"again": 2}


points = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=20)


@given(points)
def test_a_front_beats_all_that_it_leaves_out_and_nothing_in_it_beats_another(found: list[tuple[int, ...]]) -> None:
    named = {str(number): tuple(map(float, point)) for number, point in enumerate(found)}
    front = pareto(named)

    def beats(a: str, b: str) -> bool:
        return named[a] != named[b] and all(x >= y for x, y in zip(named[a], named[b], strict=True))

    assert front
    assert not any(beats(a, b) for a in front for b in front)
    assert all(any(beats(a, b) for a in front) for b in named if b not in front)
