"""Proposals without a language model: mutation of the syntax tree, crossover, and rewrites that experts use."""

from .proposer import SymbolicProposer
from .settings import SymbolicSettings

__all__ = ["SymbolicProposer", "SymbolicSettings"]
