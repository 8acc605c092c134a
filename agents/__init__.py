"""Who proposes variants of a program."""

from .proposer import (
    FIRST,
    AsksForFailures,
    AsksForRelatives,
    Brief,
    Candidate,
    Cost,
    Desk,
    NoProposal,
    Operator,
    Proposal,
    Proposer,
    ProposerFailed,
    Starts,
    TaskCard,
    Waits,
)

__all__ = [
    "FIRST",
    "AsksForFailures",
    "AsksForRelatives",
    "Brief",
    "Candidate",
    "Cost",
    "Desk",
    "NoProposal",
    "Operator",
    "Proposal",
    "Proposer",
    "ProposerFailed",
    "Starts",
    "TaskCard",
    "Waits",
]
