"""The choice of proposers follows the search: what pays early is not what pays late."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from speciate.agents import Brief, Operator, Proposal, Proposer
from speciate.agents.bandit import MixedProposer
from speciate.archive import Program, RunState
from speciate.evaluators import Evaluation, State

from .conftest import Imagine, program

PROPOSALS = 360


def levels(source: str) -> tuple[float, float]:
    first, second = re.findall("(?:FIRST|SECOND) = (.+)", source)
    return float(first), float(second)


def judged(source: str) -> Evaluation:
    """The first number counts, up to 1, and the second one is to be left alone; from then on only the second counts."""
    first, second = levels(source)
    return Evaluation(state=State.VALID, size="default", score=first - abs(second) if first < 1 else 1 + second)


class Raises:
    """Changes one of the two numbers, for the better in two of five cases."""

    def __init__(self, name: str, which: int) -> None:
        self.name = name
        self._which = which

    async def propose(self, brief: Brief) -> Proposal:
        numbers = list(levels(brief.parent.program.source))
        numbers[self._which] += float(0.05 * brief.rng.random() if brief.rng.random() < 0.4 else -brief.rng.random())
        made = Program.of(program(FIRST=numbers[0], SECOND=numbers[1]))
        return Proposal(made, (brief.parent.program.id,), Operator.MUTATE, self.name)


class AtRandom:
    name = "random"

    def __init__(self, proposers: list[Proposer]) -> None:
        self._proposers = proposers

    async def propose(self, brief: Brief) -> Proposal:
        return await self._proposers[int(brief.rng.integers(len(self._proposers)))].propose(brief)


@pytest.mark.parametrize("seeds", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_the_shares_of_proposers_switch_with_the_phase_and_the_search_ends_higher(seeds: int, imagine: Imagine) -> None:
    """Row balans_alns: against a choice at random, in nine of ten seeds."""
    higher = 0
    for seed in range(seeds):
        adaptive, random = (
            imagine(judged, mix([Raises("early", 0), Raises("late", 1)]), program(FIRST=0.0, SECOND=0.0), **options)[0]
            for mix in (MixedProposer, AtRandom)
            for options in [{"seed": seed, "budget__evaluations": PROPOSALS, "selection__parents": "incumbent"}]
        )
        first, _, last = shares_of_late(adaptive)
        assert first < 0.3
        assert last > 0.7
        higher += top(adaptive) > top(random)
    assert higher >= 0.9 * seeds


def shares_of_late(state: RunState) -> list[float]:
    """By thirds of the run."""
    made = [event.proposer for event in state.proposals.values()][1:]
    third = len(made) // 3
    return [Counter(made[at : at + third])["late"] / third for at in (0, third, 2 * third)]


def top(state: RunState) -> float:
    assert state.best is not None
    assert state.best[1].score is not None
    return state.best[1].score
