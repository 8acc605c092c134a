"""Benchmarks of speciate itself; each prints a table of ratios taken in one run."""

from .isolation import measure

__all__ = ["measure"]
