"""The proposer that leaves a program's form as it is and searches for better numbers."""

from .proposer import TuningProposer

__all__ = ["TuningProposer"]
