"""Ledger: what each proposer brought its island lately, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Arm = tuple[str, str]
"""A proposer and one part of its ``detail``; the part is empty for the proposer as a whole."""

DISCOUNT = 0.99
"""Per outcome on the island: one counts half after 69 more."""

EVALUATION_USD = 1e-3
"""What an evaluation is held to cost beside what its proposal cost in money."""

TOKEN_USD = 1e-7
"""What a token is held to cost where its model has no price."""

DROPPED_COST = 0.1
"""Of a proposal that led to no evaluation, in evaluations: next to nothing, but more than nothing."""

ADVANCE = 0.2
"""Reward of an elite better than its parent; a new best program of its island earns up to 1."""

STRIDE = 0.05
"""Gain in score over the island's best that earns the whole reward: a twentieth of the way to the paper's method."""

FORGOTTEN = 1e-4
"""Evaluations' worth of discounted cost below which an arm is struck off."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Discounted sums: ``reward`` in successes, ``cost`` in evaluations."""

    reward: float = 0.0
    cost: float = 0.0

    def plus(self, reward: float, cost: float) -> Tally:
        return Tally(self.reward + reward, self.cost + cost)

    def faded(self, steps: int) -> Tally:
        return Tally(self.reward * DISCOUNT**steps, self.cost * DISCOUNT**steps)


Merits = Mapping[Arm, Tally]


@dataclass(slots=True)
class _Page:
    """One island: its tallies with the number of the outcome at which each was last written."""

    outcomes: int = 0
    tallies: dict[Arm, tuple[int, Tally]] = field(default_factory=dict)


@dataclass(slots=True)
class Ledger:
    """A fold over the outcomes of proposals. Measured seconds are left out, so that equal seeds give equal ledgers."""

    _pages: dict[int, _Page] = field(default_factory=dict)

    def enter(self, island: int, proposer: str, detail: str, reward: float, cost: float) -> None:
        """One proposal has come to its end. Its parts (``a+b``) each get the whole reward and cost."""
        page = self._pages.setdefault(island, _Page())
        page.outcomes += 1
        for part in dict.fromkeys(("", *detail.split("+"))):
            page.tallies[proposer, part] = (page.outcomes, self._now(page, (proposer, part)).plus(reward, cost))
        forgotten = [arm for arm in page.tallies if self._now(page, arm).cost < FORGOTTEN]
        for arm in forgotten:
            del page.tallies[arm]

    @staticmethod
    def _now(page: _Page, arm: Arm) -> Tally:
        at, tally = page.tallies.get(arm, (page.outcomes, Tally()))
        return tally.faded(page.outcomes - at)

    def merits(self, island: int) -> Merits:
        """The island's tallies as they stand now."""
        page = self._pages.get(island, _Page())
        return {arm: self._now(page, arm) for arm in page.tallies}


def proposal_cost(tokens: int, usd: float | None) -> float:
    """What a proposal cost, in evaluations."""
    return (tokens * TOKEN_USD if usd is None else usd) / EVALUATION_USD


def reward_of(score: float, leader: float, parent: float) -> float:
    """Of a program that became an elite, by the scores of its island's best until then and of its parent.

    Between ``ADVANCE`` and 1 for a new best, by its gain: else a proposer of many tiny records would crowd out one of
    rare discoveries. Bounded, since one lucky jump would else decide for the rest of a run.
    """
    if score > leader:
        return ADVANCE + (1 - ADVANCE) * min(1.0, (score - leader) / STRIDE)
    return ADVANCE if score > parent else 0.0
