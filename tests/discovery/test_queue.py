"""There are no generations: a slow evaluation does not idle the other workers. The clock is virtual."""

from __future__ import annotations

import numpy as np
import pytest

from speciate.agents.scripted import ScriptedProposer
from speciate.evaluators import Evaluation, State

from .conftest import Imagine, program

WORKERS, PROGRAMS = 4, 400


def judged(source: str) -> Evaluation:
    return Evaluation(state=State.VALID, size="default", score=0.0)


@pytest.mark.parametrize(
    ("spread", "in_flight", "ordered"), [(0.5, None, True), (1.0, 8 * WORKERS, True), (1.2, None, False)]
)
def test_workers_idle_for_less_than_a_twentieth_of_the_time(
    spread: float, in_flight: int | None, ordered: bool, imagine: Imagine
) -> None:
    """Row morl_hpo: lognormal durations. Evaluations land in the order of their launch, so that a run repeats; heavier
    tails need more of them in flight, or evaluations that land as they end."""
    rng = np.random.default_rng(0)
    taken: list[float] = []

    def duration() -> float:
        taken.append(float(rng.lognormal(0.0, spread)))
        return taken[-1]

    proposer = ScriptedProposer(lambda index: program(N=index + 1))
    lines = {"budget__evaluations": PROGRAMS, "workers": WORKERS, "in_flight": in_flight, "ordered": ordered}
    state, seconds = imagine(judged, proposer, program(N=0), duration=duration, **lines)
    assert state.evaluations == len(taken) == PROGRAMS
    generations = np.array(taken).reshape(-1, WORKERS)
    with_barrier = generations.max(axis=1).sum()
    assert 1 - sum(taken) / (WORKERS * seconds) < 0.05
    assert 1 - sum(taken) / (WORKERS * with_barrier) > 0.2
