"""Events of the loop, made from what the loop holds."""

from __future__ import annotations

from ..agents import NoProposal, Proposal
from ..archive import Added, Dropped, Program, Proposed
from ..archive.state import SEED, Additions


def added_events(index: int, answers: Additions) -> list[Added]:
    """What the islands answered to evaluation ``index``, for the journal."""
    return [
        Added(
            index=index,
            island=island,
            status=result.status,
            improvement=result.improvement,
            reason=result.reason,
            displaced=result.displaced,
        )
        for island, result in answers
    ]


def proposed_event(index: int, island: int, proposal: Proposal) -> Proposed:
    return Proposed(
        index=index,
        island=island,
        files=dict(proposal.program.files),
        program=proposal.program.id,
        parents=proposal.parents,
        operator=proposal.operator.value,
        proposer=proposal.proposer,
        detail=proposal.detail,
        rationale=proposal.rationale,
        model=proposal.model,
        prompt_hash=proposal.prompt_hash,
        tokens=proposal.cost.tokens,
        usd=proposal.cost.usd,
        cpu_seconds=proposal.cost.cpu_seconds,
        faults=proposal.faults,
    )


def dropped_event(index: int, island: int, reason: str, made: Proposal | NoProposal) -> Dropped:
    return Dropped(
        index=index,
        island=island,
        reason=reason,
        proposer=made.proposer,
        detail=made.detail,
        model=made.model,
        prompt_hash=made.prompt_hash,
        tokens=made.cost.tokens,
        usd=made.cost.usd,
        cpu_seconds=made.cost.cpu_seconds,
        faults=made.faults,
    )


def repeated_event(proposed: Proposed, known: str) -> Dropped:
    """What a proposal cost is in the journal already."""
    return Dropped(
        index=proposed.index,
        island=proposed.island,
        reason=f"does on the smoke instances what {known[:12]} does",
        proposer=proposed.proposer,
        detail=proposed.detail,
    )


def given_up_event(proposed: Proposed, said: str) -> Dropped:
    """Every machine that was to evaluate the program failed, for which its proposer does not answer."""
    return Dropped(index=proposed.index, island=proposed.island, reason=f"the machines failed on it: {said}")


def seed_event(baseline: str) -> Proposed:
    """The baseline, from which every island starts."""
    program = Program.of(baseline)
    return Proposed(
        index=0,
        island=0,
        files=dict(program.files),
        program=program.id,
        parents=(),
        operator=SEED,
        proposer="baseline",
        detail="",
        rationale="",
        model=None,
        prompt_hash=None,
        tokens=0,
        usd=None,
        cpu_seconds=0.0,
    )
