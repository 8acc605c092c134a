"""Who proposes variants of a program."""

from .proposer import AsksForRelatives, Brief, Candidate, Cost, NoProposal, Operator, Proposal, Proposer, TaskCard

__all__ = [
    "AsksForRelatives",
    "Brief",
    "Candidate",
    "Cost",
    "NoProposal",
    "Operator",
    "Proposal",
    "Proposer",
    "TaskCard",
]
