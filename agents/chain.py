"""Chains of proposals: a random walk from the parent, of which only the end is evaluated."""

from __future__ import annotations

from dataclasses import replace

from .proposer import AsksForRelatives, Brief, Candidate, Cost, NoProposal, Proposal, Proposer


class ChainedProposer:
    """Asks ``proposer`` for a variant, then for a variant of that, and so on; the last one is the proposal.

    The number of steps is geometric with mean ``mean``, drawn from ``brief.rng``. Programs in between are never
    evaluated: each is shown with what is known of its parent. The costs of all steps are added up.
    """

    def __init__(self, proposer: Proposer, mean: int) -> None:
        self.name = proposer.name
        self.relatives = proposer.relatives if isinstance(proposer, AsksForRelatives) else 0
        self._proposer = proposer
        self._mean = mean

    async def propose(self, brief: Brief) -> Proposal:
        """Raises: NoProposal where the first step, or the walk as a whole, leads nowhere."""
        steps = int(brief.rng.geometric(1.0 / self._mean))
        made = [await self._proposer.propose(brief)]
        while len(made) < steps:
            candidate = Candidate(made[-1].program, brief.parent.evaluation)
            try:
                made.append(await self._proposer.propose(replace(brief, parents=(candidate, *brief.parents[1:]))))
            except NoProposal:
                break
        if made[-1].program.id == brief.parent.program.id:
            raise NoProposal("the chain led back to its beginning")
        return replace(
            made[-1],
            parents=(brief.parent.program.id, *made[-1].parents[1:]),
            detail=" > ".join(step.detail for step in made),
            cost=_total([step.cost for step in made]),
        )


def _total(costs: list[Cost]) -> Cost:
    """The sum; ``usd`` is None where no step has a price."""
    prices = [cost.usd for cost in costs if cost.usd is not None]
    return Cost(
        tokens=sum(cost.tokens for cost in costs),
        usd=sum(prices) if prices else None,
        cpu_seconds=sum(cost.cpu_seconds for cost in costs),
    )
