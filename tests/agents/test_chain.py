import asyncio
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from speciate.agents import Brief, Candidate, Cost, NoProposal, Operator, Proposal
from speciate.agents.chain import ChainedProposer
from speciate.archive import Program
from speciate.evaluators import Evaluation, State


class Appending:
    """Each call appends a digit to the number in the program; refuses above ``limit`` digits."""

    name = "appending"

    def __init__(self, limit: int = 100) -> None:
        self.limit = limit
        self.relatives = 0

    async def propose(self, brief: Brief) -> Proposal:
        source = brief.parent.program.source
        if len(source) >= self.limit:
            raise NoProposal("too long")
        child = Program.of(source + "1")
        cost = Cost(tokens=2, usd=0.5, cpu_seconds=1.0)
        return Proposal(child, (brief.parent.program.id,), Operator.MUTATE, self.name, detail="append", cost=cost)


def brief(source: str, seed: int) -> Brief:
    evaluation = Evaluation(state=State.VALID, size="default", score=0.0)
    return Brief(
        cast(Any, SimpleNamespace()),
        (Candidate(Program.of(source), evaluation),),
        (),
        np.random.default_rng(seed),
    )


def propose(limit: int, seed: int, mean: int = 4) -> Proposal:
    return asyncio.run(ChainedProposer(Appending(limit), mean).propose(brief("x = 1", seed)))


def test_the_length_is_geometric_and_the_lineage_begins_at_the_parent() -> None:
    made = [propose(1000, seed) for seed in range(400)]
    steps = [proposal.detail.count("append") for proposal in made]
    assert min(steps) == 1
    assert np.mean(steps) == pytest.approx(4, abs=0.6)
    for proposal, count in zip(made, steps, strict=True):
        assert proposal.parents == (Program.of("x = 1").id,)
        assert proposal.program.source == "x = 1" + "1" * count
        assert (proposal.cost.tokens, proposal.cost.usd, proposal.cost.cpu_seconds) == (2 * count, count / 2, count)


def test_a_walk_ends_where_the_proposer_has_nothing_more_to_say() -> None:
    assert max(len(propose(8, seed).program.source) for seed in range(50)) == 8
    with pytest.raises(NoProposal):
        propose(3, 0)


def test_a_chain_asks_for_what_its_proposer_asks_for() -> None:
    asking = Appending()
    assert ChainedProposer(asking, 2).relatives == 0
    asking.relatives = 7
    assert ChainedProposer(asking, 2).relatives == 7
