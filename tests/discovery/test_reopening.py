"""What a run that goes on finds under way."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from speciate.agents import Brief, Cost, Desk, NoProposal, Operator, Proposal, ProposerFailed
from speciate.archive import Dropped, Journal, Launched, Program, Proposed, Replied
from speciate.discovery.config import load_config
from speciate.discovery.landing import RunFailed
from speciate.discovery.run import resume, start

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"


class Slow:
    """Four proposals in flight, each of which may cost at most ten tokens; the ``fails``-th one ends the proposer."""

    name = "slow"
    concurrency = 4
    allowance = Cost(tokens=10, usd=0.0)

    def __init__(self, fails: int | None = None) -> None:
        self.fails = fails
        self.briefs: dict[int, Brief] = {}
        self.flying = self.most = 0
        self.closed = False

    def open(self, desk: Desk) -> None:
        self.desk = desk

    async def close(self) -> None:
        self.closed = True

    async def propose(self, brief: Brief) -> Proposal:
        self.briefs[brief.index] = brief
        self.flying += 1
        self.most = max(self.most, self.flying)
        await asyncio.sleep(0.02 * (brief.index * 7 % 4))
        self.flying -= 1
        if brief.index == self.fails:
            raise ProposerFailed("the model has left")
        if brief.index % 5 == 4:
            raise NoProposal("no idea", proposer=self.name, cost=Cost(tokens=3, usd=0.0))
        number = float(brief.rng.uniform(1.0, 4.0))
        source = brief.parent.program.source.split("FACTOR = ")[0] + f"FACTOR = {number!r}\n"
        rest = brief.parent.program.source.partition("FACTOR = ")[2].partition("\n")[2]
        return Proposal(
            Program.of(source + rest),
            (brief.parent.program.id,),
            Operator.REWRITE,
            self.name,
            cost=Cost(tokens=7, usd=0.0),
        )


def config(**values: Any) -> Any:
    return load_config(None, **({"budget__evaluations": 16, "workers": 1, "certify": False} | values))


def told(directory: Path, *kinds: type) -> list[Any]:
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        return [event for _, _, event in journal.events() if isinstance(event, kinds)]


def test_proposals_wait_side_by_side_and_come_in_order(tmp_path: Path) -> None:
    slow = Slow()
    start(str(LINEAR), config(), tmp_path / "run", proposer=slow)
    assert slow.most == 4
    assert slow.closed
    ended = [event.index for event in told(tmp_path / "run", Proposed, Dropped)]
    assert ended == sorted(ended)
    assert [event.index for event in told(tmp_path / "run", Launched)] == ended[1:]


def test_a_proposer_that_fails_ends_the_run_which_then_ends_as_the_unbroken_one(tmp_path: Path) -> None:
    whole = Slow()
    start(str(LINEAR), config(), tmp_path / "whole", proposer=whole)
    with pytest.raises(RunFailed, match=r"the model has left.*speciate resume"):
        start(str(LINEAR), config(), tmp_path / "run", proposer=Slow(fails=7))
    assert max(event.index for event in told(tmp_path / "run", Proposed)) < 7
    again = Slow()
    resume(tmp_path / "run", proposer=again)
    kinds = (Proposed, Dropped)
    assert [(event.kind, event.index) for event in told(tmp_path / "run", *kinds)] == [
        (event.kind, event.index) for event in told(tmp_path / "whole", *kinds)
    ]
    assert [event.program for event in told(tmp_path / "run", Proposed)] == [
        event.program for event in told(tmp_path / "whole", Proposed)
    ]
    for index, brief in again.briefs.items():
        assert [one.program for one in brief.parents] == [one.program for one in whole.briefs[index].parents]
        assert [one.program for one in brief.inspirations] == [one.program for one in whole.briefs[index].inspirations]
        assert brief.merits == whole.briefs[index].merits


def test_tokens_are_held_back_for_what_is_in_flight(tmp_path: Path) -> None:
    slow = Slow()
    outcome = start(str(LINEAR), config(budget__tokens=25, budget__evaluations=100), tmp_path / "run", proposer=slow)
    assert outcome.stopped_by == "tokens"
    assert slow.most == 2
    assert outcome.tokens <= 25


def test_replies_of_open_proposals_are_charged_once(tmp_path: Path) -> None:
    class Talking(Slow):
        async def propose(self, brief: Brief) -> Proposal:
            if not any(reply.index == brief.index for replies in self.desk.replies.values() for reply in replies):
                reply = Replied(index=brief.index, step=0, model="m", prompt_hash=str(brief.index), text="", usd=0.5)
                self.desk.record(reply.model_copy(update={"prompt_tokens": 7}))
            proposal = await super().propose(brief)
            return Proposal(
                proposal.program, proposal.parents, proposal.operator, self.name, cost=Cost(tokens=7, usd=0.5)
            )

    with pytest.raises(RunFailed):
        start(str(LINEAR), config(), tmp_path / "run", proposer=Talking(fails=6))
    outcome = resume(tmp_path / "run", proposer=Talking())
    replies = told(tmp_path / "run", Replied)
    assert len({reply.index for reply in replies}) == len(replies)
    assert outcome.tokens == 7 * len(replies)
    assert outcome.usd == pytest.approx(0.5 * len(replies))
