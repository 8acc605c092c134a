"""What a run has learnt that lets a program end before its evaluation."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A program that does on the smoke instances what one of the ``behaviours`` is goes no further, nor does one that
    fails on a counterexample: a smoke instance of a later draw, by its name, on which one failed that the others let
    pass. A ``probe`` goes on from there: its evaluation tests the counterexamples that it missed.
    """

    behaviours: Container[str] = frozenset()
    counterexamples: tuple[str, ...] = ()
    probe: bool = False


NOTHING = Known()
