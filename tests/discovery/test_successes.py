"""What one island found helps the others where the proposer reads of it."""

from __future__ import annotations

from typing import Any

from speciate.agents import Brief, Operator, Proposal
from speciate.archive import Program
from speciate.evaluators import Evaluation, Interval, State

from .conftest import Imagine, program

ISLANDS = 6
IDIOM = "IDIOM = 1"


def judged(source: str) -> Evaluation:
    score = float(IDIOM in source)
    interval = Interval(low=score - 0.1, high=score + 0.1)
    return Evaluation(state=State.VALID, size="default", score=score, interval=interval)


class Copies:
    """Has the idea once in thirty times, and whenever an example shows it."""

    name = "copies"

    def __init__(self, reads: bool) -> None:
        self.reads = reads

    async def propose(self, brief: Brief) -> Proposal:
        shown = any(f"+{IDIOM}" in success.diff for success in brief.successes)
        known = shown or IDIOM in brief.parent.program.source
        made = Program.of(program(IDIOM=int(known or brief.rng.random() < 0.03), N=brief.index))
        return Proposal(made, (brief.parent.program.id,), Operator.REWRITE, self.name)


def test_more_is_solved_with_examples_than_without(imagine: Imagine) -> None:
    """Row programming_puzzles: by rounds of four proposals for each island, which have nothing else in common."""

    def solved(reads: bool, rounds: int) -> int:
        settings: dict[str, Any] = {"islands__count": ISLANDS, "islands__migration_interval": 10_000}
        budget, counts = 1 + 4 * rounds * ISLANDS, []
        for seed in range(1, 5):
            proposer = Copies(reads)
            state, _ = imagine(judged, proposer, program(IDIOM=0), budget__evaluations=budget, seed=seed, **settings)
            counts.append(sum(island.top == 1.0 for island in state.archipelago.islands))
        return sum(counts)

    first, second, third = (solved(True, rounds) for rounds in (1, 2, 3))
    assert first < second < third
    assert third > 2 * solved(False, 3)
