"""A landscape that is downhill from the start and high only far away is climbed by keeping what is different."""

from __future__ import annotations

import re
from typing import Any

import pytest

from speciate.agents import Brief, Operator, Proposal
from speciate.archive import Program
from speciate.evaluators import Descriptor, Evaluation, State

from .conftest import Imagine, program

GOAL = 9.0
AXES = (Descriptor("place", 0.0, 10.0, bins=10),)


def place_of(source: str) -> float:
    found = re.search("PLACE = (.+)", source)
    assert found is not None
    return float(found[1])


def judged(source: str) -> Evaluation:
    """From 0 at the start down to -9 beside the goal, where it is 1."""
    place = place_of(source)
    score = 1.0 if place >= GOAL else -place
    return Evaluation(state=State.VALID, size="default", score=score, descriptors={"place": place})


class Steps:
    """A numeric mutation: about one bin of the archive to either side."""

    name = "steps"

    async def propose(self, brief: Brief) -> Proposal:
        place = abs(place_of(brief.parent.program.source) + float(brief.rng.normal(0.0, 1.0)))
        made = Program.of(program(PLACE=place))
        return Proposal(made, (brief.parent.program.id,), Operator.MUTATE, self.name)


@pytest.mark.parametrize("seed", range(3))
def test_the_archive_crosses_a_valley_and_greedy_selection_does_not(seed: int, imagine: Imagine) -> None:
    """Row map_elites. Every filled cell has the same chance to be varied; ``single`` is the same search in one cell."""

    def best(**values: Any) -> float | None:
        options: dict[str, Any] = {"budget__evaluations": 400, "seed": seed} | values
        state, _ = imagine(judged, Steps(), program(PLACE=0.0), descriptors=AXES, **options)
        return None if state.best is None else state.best[1].score

    assert best(selection__parents="uniform") == 1.0
    assert best(selection__parents="uniform", islands__archive="single") == 0.0
    assert best(selection__parents="incumbent") == 0.0
