"""The scripted proposer."""

import asyncio

import pytest

from speciate.agents import NoProposal
from speciate.agents.scripted import ScriptedProposer


def test_the_programs_come_in_order_and_then_no_more(make_brief):
    proposer, brief = ScriptedProposer(["a = 1\n", "a = 2\n"]), make_brief("a = 0\n")
    proposals = [asyncio.run(proposer.propose(brief)) for _ in range(2)]
    assert [proposal.program.source for proposal in proposals] == ["a = 1\n", "a = 2\n"]
    assert proposals[0].parents == (brief.parent.program.id,)
    with pytest.raises(NoProposal, match="2 programs"):
        asyncio.run(proposer.propose(brief))


def test_a_resumed_run_goes_on_where_it_was(make_brief):
    proposer = ScriptedProposer(lambda index: f"a = {index}\n", start=7)
    proposal = asyncio.run(proposer.propose(make_brief("a = 0\n")))
    assert proposal.program.source == "a = 7\n"


def test_answers_in_flight_wait_side_by_side(make_brief):
    proposer, brief = ScriptedProposer(lambda index: f"a = {index}\n", latency_seconds=0.05), make_brief("a = 0\n")

    async def several() -> tuple[float, list[str]]:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        proposals = await asyncio.gather(*(proposer.propose(brief) for _ in range(20)))
        return loop.time() - begun, [proposal.program.source for proposal in proposals]

    seconds, sources = asyncio.run(several())
    assert 0.05 <= seconds < 0.5
    assert sources == [f"a = {index}\n" for index in range(20)]
