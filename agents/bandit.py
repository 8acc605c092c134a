"""Which of several proposers makes the next proposal: a bandit that reads what they achieved and remembers nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..archive import Merits, Tally
from .proposer import (
    FIRST,
    AsksForFailures,
    AsksForRelatives,
    Brief,
    Cost,
    Desk,
    NoProposal,
    Proposal,
    Proposer,
    Reads,
    Starts,
    Waits,
)

PRIOR = Tally(reward=1.0, cost=5.0)
"""Successes and evaluations that every arm is credited with beforehand: a new one is worth a try."""

BELIEF = 10.0
"""Evaluations after which a group's own rate weighs as much as that of all groups."""

LEAST, MOST = 0.3, 3.0
"""Bounds of what merit does to a group's weight: what is useless now may be needed later."""


def order(names: Sequence[str], merits: Merits, rng: np.random.Generator) -> list[int]:
    """The proposers' indices, the one to ask first first.

    Discounted Thompson sampling (Raj and Kalyani 2017) of a rate per cost: successes are taken for events of a Poisson
    process that runs while cost is spent, so that an arm's rate is Gamma distributed given its tally. Gains in score
    are rare and heavy-tailed: one lucky jump would decide over a mean for the rest of a run. Successes (see
    ``reward_of`` of the ledger) are bounded and of the same meaning on every task. A cheaper arm wins with fewer
    successes. Old outcomes fade, because what helps early does not help late.
    """
    tallies = [merits.get((name, ""), Tally()) for name in names]
    rates = [rng.gamma(PRIOR.reward + t.reward, 1.0 / (PRIOR.cost + t.cost)) for t in tallies]
    return sorted(range(len(names)), key=lambda index: -rates[index])


def reweighted(
    weights: Mapping[str, float], members: Mapping[str, Sequence[str]], proposer: str, merits: Merits
) -> dict[str, float]:
    """Weights of groups of operators, each times its rate of success over that of all, within ``LEAST`` and ``MOST``.

    ``members`` are a group's operators, by the names that proposals have in their details. Probability matching
    (Thierens 2005) rather than a choice of the best: mutations need each other, and most succeed too rarely to tell.
    """
    tallies = {
        group: [merits[proposer, name] for name in names if (proposer, name) in merits]
        for group, names in members.items()
    }
    rewards = {group: sum(tally.reward for tally in its) for group, its in tallies.items()}
    costs = {group: sum(tally.cost for tally in its) for group, its in tallies.items()}
    spent = sum(costs.values())
    common = sum(rewards.values()) / spent if spent else 0.0
    if common == 0.0:
        return dict(weights)
    return {
        group: weight * min(MOST, max(LEAST, (rewards[group] / common + BELIEF) / (costs[group] + BELIEF)))
        for group, weight in weights.items()
    }


def starts_of(proposer: Proposer) -> int:
    return proposer.starts if isinstance(proposer, Starts) else 0


class MixedProposer:
    """Hands each brief to one of several proposers, and to the next where that one has nothing to say."""

    def __init__(self, proposers: Sequence[Proposer]) -> None:
        self.name = "+".join(proposer.name for proposer in proposers)
        self.relatives = max((p.relatives for p in proposers if isinstance(p, AsksForRelatives)), default=0)
        self.reads = any(p.reads for p in proposers if isinstance(p, Reads))
        self.failures = max((p.failures for p in proposers if isinstance(p, AsksForFailures)), default=0)
        self.starts = max(map(starts_of, proposers))
        self._proposers = tuple(proposers)

    async def propose(self, brief: Brief) -> Proposal:
        """Raises: NoProposal where none of them found a variant."""
        names = [proposer.name for proposer in self._proposers]
        said = []
        for index in self._order(brief, names):
            try:
                return await self._proposers[index].propose(brief)
            except NoProposal as nothing:
                said.append(f"{names[index]}: {nothing}")
        raise NoProposal("; ".join(said))

    def _order(self, brief: Brief, names: Sequence[str]) -> list[int]:
        """The first proposal of a run belongs to who makes programs to begin with."""
        drawn = order(names, brief.merits, brief.rng)
        return (
            sorted(drawn, key=lambda index: starts_of(self._proposers[index]) == 0) if brief.index == FIRST else drawn
        )


class WaitingMix(MixedProposer):
    """A mix of which at least one waits for answers; what is reserved is enough for any of them."""

    def __init__(self, proposers: Sequence[Proposer]) -> None:
        super().__init__(proposers)
        self._waiting = [proposer for proposer in proposers if isinstance(proposer, Waits)]
        self.concurrency = max(proposer.concurrency for proposer in self._waiting)
        self.allowance = Cost(
            tokens=sum(proposer.allowance.tokens for proposer in self._waiting),
            usd=sum(proposer.allowance.usd or 0.0 for proposer in self._waiting),
        )

    def open(self, desk: Desk) -> None:
        for proposer in self._waiting:
            proposer.open(desk)

    async def close(self) -> None:
        for proposer in self._waiting:
            await proposer.close()


def mixed(proposers: Sequence[Proposer]) -> MixedProposer:
    """One proposer made of several."""
    waiting = any(isinstance(proposer, Waits) for proposer in proposers)
    return WaitingMix(proposers) if waiting else MixedProposer(proposers)
