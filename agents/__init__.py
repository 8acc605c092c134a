"""Who proposes variants of a program."""

from .proposer import (
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
    TaskCard,
    Waits,
)

__all__ = [
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
    "TaskCard",
    "Waits",
]
