"""What a model answered is in the journal before anyone reads it: it is paid for."""

import contextlib

from speciate.agents import Brief, Cost, Desk, Operator, Proposal
from speciate.archive import Journal, Program, Replied
from speciate.evaluators import Evaluation, State

from .conftest import Imagine, program


class Asks:
    """Looks into the journal as soon as a reply was recorded."""

    name = "asks"
    concurrency = 3
    allowance = Cost()

    def __init__(self) -> None:
        self.found: list[bool] = []

    def open(self, desk: Desk) -> None:
        self._desk = desk

    async def close(self) -> None:
        return None

    async def propose(self, brief: Brief) -> Proposal:
        reply = Replied(index=brief.index, step=0, model="imagined", prompt_hash=str(brief.index), text="")
        self._desk.record(reply)
        with contextlib.closing(Journal.open(self._desk.directory, readonly=True)) as journal:
            self.found.append(reply in [event for _, _, event in journal.events()])
        return Proposal(Program.of(program(N=brief.index)), (brief.parent.program.id,), Operator.MUTATE, self.name)


def test_a_reply_is_in_the_journal_before_anyone_reads_it(imagine: Imagine) -> None:
    proposer = Asks()
    state, _ = imagine(
        lambda source: Evaluation(state=State.VALID, size="default", score=0.0),
        proposer,
        program(N=0),
        budget__evaluations=8,
    )
    assert state.evaluations == 8
    assert len(proposer.found) >= 7
    assert all(proposer.found)
