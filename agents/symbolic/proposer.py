"""The proposer that needs no language model: it mutates the syntax tree of the parent."""

from __future__ import annotations

import time
from itertools import accumulate

import numpy as np

from ...archive import Program
from ..proposer import Brief, Cost, NoProposal, Operator, Proposal
from .crossover import CROSSOVER
from .registry import MUTATIONS
from .scene import Mutation
from .settings import SymbolicSettings
from .source import Piece
from .workshop import Workshop

MAX_MUTATIONS = 3
DRAWS = 6
"""Mutations drawn for one attempt: that a piece offers nothing to a mutation is found out quickly."""


class SymbolicProposer:
    """Varies ``brief.parent`` by one mutation, now and then by two or three.

    All randomness comes from ``brief.rng``: the same brief gives the same proposal. What stands outside the markers,
    the signatures of functions and the layout outside the mutated node stay as they are.
    """

    def __init__(self, name: str = "symbolic", settings: SymbolicSettings | None = None) -> None:
        self.name = name
        self._settings = settings or SymbolicSettings()
        self._workshop = Workshop(self._settings.cached_pieces)
        self._groups = tuple(MUTATIONS)
        weights = np.array([self._settings.weight(group) for group in self._groups])
        self._bounds = np.cumsum(weights / weights.sum())[:-1]

    async def propose(self, brief: Brief) -> Proposal:
        """Raises: NoProposal where no mutation gave a plausible program."""
        begun = time.process_time()
        parent = program = brief.parent.program
        done: list[Mutation] = []
        for _ in range(min(int(brief.rng.geometric(1.0 - self._settings.repeat)), MAX_MUTATIONS)):
            step = self._step(program, brief)
            if step is not None:
                program = step[0]
                done.append(step[1])
        if not done or (len(done) > 1 and program.id == parent.id):
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

    def _step(self, program: Program, brief: Brief) -> tuple[Program, Mutation] | None:
        """One mutation that passes the checks, within the number of attempts."""
        for _ in range(self._settings.attempts):
            for _ in range(DRAWS):
                piece = self._piece(program, brief.rng)
                mutation = self._mutation(brief.rng)
                mutant = mutation.apply(self._workshop.scene(program, piece, brief)) if piece else None
                if piece is None or mutant is None:
                    continue
                child = self._workshop.assembled(program, piece, mutant)
                if child is not None:
                    return child, mutation
                break
        return None

    def _piece(self, program: Program, rng: np.random.Generator) -> Piece | None:
        """A piece that may change, drawn by its length."""
        try:
            pieces = self._workshop.outline(program).pieces
        except SyntaxError:
            return None
        if not pieces:
            return None
        line = int(rng.integers(sum(piece.last - piece.first for piece in pieces)))
        ends = accumulate(piece.last - piece.first for piece in pieces)
        return next(piece for piece, end in zip(pieces, ends, strict=True) if line < end)

    def _mutation(self, rng: np.random.Generator) -> Mutation:
        group = self._groups[int(np.searchsorted(self._bounds, rng.random(), side="right"))]
        mutations = MUTATIONS[group]
        return mutations[int(rng.integers(len(mutations)))]
