"""Who proposes variants of a program."""

from .proposer import Brief, Candidate, Cost, NoProposal, Operator, Proposal, Proposer, TaskCard

__all__ = ["Brief", "Candidate", "Cost", "NoProposal", "Operator", "Proposal", "Proposer", "TaskCard"]
