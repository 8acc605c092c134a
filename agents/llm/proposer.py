"""The proposer that asks language models, or people who answer in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...archive import Merits
from ..bandit import reweighted
from ..proposer import FIRST, Brief, Cost, Desk, NoProposal, Operator, Proposal
from .calls import Calls, Transport
from .cost import Purse
from .graph import Agent, Arm, Draft, one_line
from .starts import Starter
from .turns import Turn, Turns

MAX_RATIONALE = 2000

MakeTransports = Callable[[Desk], Mapping[str, Transport]]


@dataclass(frozen=True)
class Habits:
    """How an agent works: weights of models and operators, bounds of one proposal."""

    models: Mapping[str, float]
    operators: Mapping[Operator, float]
    concurrency: int
    repairs: int
    plans: bool
    starts: int
    tries: int
    backoff_seconds: float
    allowance: Cost
    max_usd_per_call: float | None = None


class AgentProposer:
    """Draws a model and an operator by their successes on the island, and lets the graph make a program of it.

    All that is random comes from ``brief.rng``, and prompts from the brief: the same brief and the same replies give
    the same proposal.
    """

    failures = 1
    reads = True

    def __init__(self, name: str, habits: Habits, transports: MakeTransports) -> None:
        self.name = name
        self.concurrency = habits.concurrency
        self.allowance = habits.allowance
        self.starts = habits.starts
        self._habits = habits
        self._transports = transports
        self._agent: Agent | None = None
        self._starter: Starter | None = None
        self._turns: Turns | None = None

    def open(self, desk: Desk) -> None:
        habits = self._habits
        calls = Calls(self._transports(desk), desk, habits.tries, habits.backoff_seconds)
        self._agent = Agent(calls, desk, habits.repairs, habits.plans)
        self._starter = Starter(calls, desk, habits.starts)
        self._turns = Turns()

    async def close(self) -> None:
        if self._agent is not None:
            await self._agent.calls.close()

    async def propose(self, brief: Brief) -> Proposal:
        """Raises: NoProposal, ProposerFailed."""
        assert self._turns is not None, "open comes before propose"
        async with self._turns.one() as turn:
            return await self._proposed(brief, turn)

    async def _proposed(self, brief: Brief, turn: Turn) -> Proposal:
        """Raises: NoProposal, ProposerFailed."""
        assert self._agent is not None
        arm = self._arm(brief)
        purse = Purse(self.allowance, self._habits.max_usd_per_call)
        if brief.index == FIRST and self.starts:
            return await self._begun(brief, Arm(arm.model, Operator.START), purse, turn)
        try:
            draft = await self._agent.make(brief, arm, purse, turn)
        except NoProposal as nothing:
            raise self._nothing(str(nothing), arm, purse, None) from None
        reply, program = draft.reply, draft.program
        hashed = reply.prompt_hash if reply else None
        if program is None:
            raise self._nothing(one_line(draft.problem or ""), arm, purse, hashed, draft.faults[:-1])
        return Proposal(
            program=program,
            parents=_parents(brief, arm.operator),
            operator=arm.operator,
            proposer=self.name,
            detail=arm.name,
            rationale=_rationale(draft),
            model=arm.model,
            prompt_hash=hashed,
            cost=purse.spent,
            faults=draft.faults,
        )

    async def _begun(self, brief: Brief, arm: Arm, purse: Purse, turn: Turn) -> Proposal:
        """The programs of one reply, the first of which bears its cost. Raises: NoProposal, ProposerFailed."""
        assert self._starter is not None
        try:
            reply, begun = await self._starter.ask(brief, arm.model, purse, turn)
        except NoProposal as nothing:
            raise self._nothing(str(nothing), arm, purse, None) from None
        made = [
            Proposal(
                program=one.program,
                parents=(brief.parent.program.id,),
                operator=arm.operator,
                proposer=self.name,
                detail=arm.name,
                rationale=one.idea,
                model=arm.model,
                prompt_hash=reply.prompt_hash,
            )
            for one in begun
            if one.program is not None
        ]
        faults = tuple(one.problem for one in begun if one.problem)
        if not made:
            reason = f"no program to begin with: {'; '.join(dict.fromkeys(faults)) or 'the reply holds no block'}"
            raise self._nothing(one_line(reason), arm, purse, reply.prompt_hash)
        return replace(made[0], cost=purse.spent, faults=faults, further=tuple(made[1 : self.starts]))

    def _nothing(
        self, reason: str, arm: Arm, purse: Purse, hashed: str | None, faults: tuple[str, ...] = ()
    ) -> NoProposal:
        return NoProposal(
            reason,
            proposer=self.name,
            detail=arm.name,
            model=arm.model,
            prompt_hash=hashed,
            cost=purse.spent,
            faults=faults,
        )

    def _arm(self, brief: Brief) -> Arm:
        """Probability matching over the pairs of model and operator that fit the brief (bandit.py)."""
        habits = self._habits
        fit = [operator for operator in habits.operators if fits(operator, brief)]
        arms = [Arm(model, operator) for model in habits.models for operator in fit]
        weights = {arm.name: habits.models[arm.model] * habits.operators[arm.operator] for arm in arms}
        return arms[drawn(_matched(weights, self.name, brief.merits), brief.rng)]


def fits(operator: Operator, brief: Brief) -> bool:
    """Whether the brief has what the operator needs."""
    if operator is Operator.CROSSOVER:
        return bool(brief.inspirations)
    if operator is Operator.REPAIR:
        return bool(brief.failed)
    if operator is Operator.SHORTEN:
        return (brief.parent.evaluation.score or 0.0) > 0.0
    return True


def _matched(weights: Mapping[str, float], proposer: str, merits: Merits) -> list[float]:
    return list(reweighted(weights, {name: (name,) for name in weights}, proposer, merits).values())


def drawn(weights: Sequence[float], rng: np.random.Generator) -> int:
    bounds = np.cumsum(weights)
    return int(np.searchsorted(bounds, rng.random() * bounds[-1], side="right"))


def _parents(brief: Brief, operator: Operator) -> tuple[str, ...]:
    """The parent first; then the other program that went into it."""
    others = {Operator.CROSSOVER: brief.inspirations[:1], Operator.REPAIR: brief.failed[:1]}.get(operator, ())
    return (brief.parent.program.id, *(other.program.id for other in others))


def _rationale(draft: Draft) -> str:
    said = draft.rationale[:MAX_RATIONALE]
    problem = draft.problem
    return said if problem is None else f"{said}\n(known to fail: {one_line(problem)})".strip()
