"""Proposals on their way through the loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ..agents import NoProposal, Proposal
from ..archive import Proposed
from ..evaluators import Evaluation


@dataclass(frozen=True, slots=True)
class Landed:
    proposed: Proposed
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Flight:
    """A proposal on its way."""

    index: int
    island: int
    made: asyncio.Task[Proposal | NoProposal]
