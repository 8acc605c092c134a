"""Programs, the journal of a run, and the islands that keep its elites."""

from .program import MAIN, Program, canonical

__all__ = ["MAIN", "Program", "canonical"]
