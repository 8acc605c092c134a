"""The proposer that needs no language model: it mutates the syntax tree of the parent."""

from __future__ import annotations

import time
from itertools import accumulate

import libcst as cst
import numpy as np
from numpy.typing import NDArray

from ...archive import Program
from ..bandit import reweighted
from ..proposer import Brief, Cost, NoProposal, Operator, Proposal
from .crossover import CROSSOVER
from .registry import GROUPS, MEMBERS, Group, shares
from .scene import Mutation
from .settings import SymbolicSettings
from .source import Piece
from .workshop import Workshop

MAX_MUTATIONS = 3
DRAWS = 6
"""Mutations drawn for one attempt: that a piece offers nothing to a mutation is found out quickly."""


_UNFIT = (SyntaxError, RecursionError, OverflowError, cst.ParserSyntaxError, cst.CSTValidationError)
"""A program or an edit that no tree can hold: nested too deep, too large a number, a name that is none."""


class SymbolicProposer:
    """Varies ``brief.parent`` by one mutation, now and then by two or three.

    All randomness comes from ``brief.rng``: the same brief gives the same proposal. What stands outside the markers,
    the signatures of functions and the layout outside the mutated node stay as they are.
    """

    def __init__(self, name: str = "symbolic", settings: SymbolicSettings | None = None) -> None:
        self.name = name
        self._settings = settings or SymbolicSettings()
        self._workshop = Workshop(self._settings.cached_pieces)
        self._shares = shares(self._settings.weights)

    async def propose(self, brief: Brief) -> Proposal:
        """Raises: NoProposal where no mutation gave a plausible program."""
        begun = time.process_time()
        parent = program = brief.parent.program
        bounds = np.cumsum(self._shares_for(brief))[:-1]
        done: list[Mutation] = []
        for _ in range(min(int(brief.rng.geometric(1.0 - self._settings.repeat)), MAX_MUTATIONS)):
            step = self._step(program, brief, bounds)
            undone = step is not None and done and step[0].id == parent.id
            if step is not None and not undone:
                program = step[0]
                done.append(step[1])
        if not done:
            raise NoProposal(f"no mutation of {parent.id[:12]} gave a plausible program")
        crossed = any(mutation in CROSSOVER for mutation in done)
        return Proposal(
            program=program,
            parents=(parent.id, *(shown.program.id for shown in brief.inspirations if crossed)),
            operator=Operator.CROSSOVER if crossed else Operator.MUTATE,
            proposer=self.name,
            detail="+".join(mutation.name for mutation in done),
            cost=Cost(cpu_seconds=time.process_time() - begun),
        )

    def _shares_for(self, brief: Brief) -> tuple[float, ...]:
        """How often each group is drawn: as set, or as its successes on the brief's island tell."""
        if not self._settings.adaptive:
            return self._shares
        prior = {group.name: share for group, share in zip(GROUPS, self._shares, strict=True)}
        return shares(reweighted(prior, MEMBERS, self.name, brief.merits))

    def _step(self, program: Program, brief: Brief, bounds: NDArray[np.float64]) -> tuple[Program, Mutation] | None:
        """One mutation that passes the checks, within the number of attempts."""
        for _ in range(self._settings.attempts):
            for _ in range(DRAWS):
                group = GROUPS[int(np.searchsorted(bounds, brief.rng.random(), side="right"))]
                mutation = group.mutations[int(brief.rng.integers(len(group.mutations)))]
                try:
                    piece = self._piece(program, group, brief.rng)
                    mutant = mutation.apply(self._workshop.scene(program, piece, brief)) if piece else None
                    child = self._workshop.assembled(program, piece, mutant) if piece and mutant else None
                except _UNFIT:
                    break
                if child is not None:
                    return child, mutation
                if mutant is not None:
                    break
        return None

    def _piece(self, program: Program, group: Group, rng: np.random.Generator) -> Piece | None:
        """A piece that may change, drawn by what the group counts in it."""
        pieces = self._workshop.outline(program).pieces
        sizes = [group.size(piece) for piece in pieces]
        if not any(sizes):
            return None
        drawn = int(rng.integers(sum(sizes)))
        return next(piece for piece, end in zip(pieces, accumulate(sizes), strict=True) if drawn < end)
