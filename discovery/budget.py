"""One ledger for everything a run may spend."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from ..agents import Cost
from ..archive import RunState
from ..archive.spent import Bill
from .config import BudgetSettings


@dataclass(frozen=True, slots=True)
class Taken:
    """Of the limits, by all conductors of a run."""

    evaluations: int
    spent: Bill


class Budget:
    """Counts evaluations, seconds, tokens and money; what proposals may use is reserved first, so none overshoots.

    ``evaluations``, ``seconds``, ``tokens`` and ``usd`` are what earlier sittings of a resumed run used.
    """

    def __init__(
        self,
        limits: BudgetSettings,
        *,
        evaluations: int = 0,
        seconds: float = 0.0,
        tokens: int = 0,
        usd: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self.evaluations = evaluations
        self.tokens = tokens
        self.usd = usd
        self._held_tokens = 0
        self._held_usd = Fraction(0)
        self._clock = clock
        self._started = clock() - seconds

    def grant(self, limits: BudgetSettings) -> None:
        """Other limits take the place of those so far."""
        self.limits = limits

    @property
    def seconds(self) -> float:
        """Wall seconds since the run began, over all its sittings."""
        return self._clock() - self._started

    def reserve_evaluation(self) -> None:
        self.evaluations += 1

    def release_evaluation(self) -> None:
        """Give back a reservation whose proposal was never evaluated."""
        self.evaluations -= 1

    @staticmethod
    def of_state(state: RunState) -> Taken:
        """What the journal knows to be evaluated, or on its way, and spent."""
        return Taken(state.evaluations + len(state.pending), state.spent.total)

    def others(self, before: Taken, after: Taken) -> None:
        """Count what other conductors did meanwhile: the limits are those of all together."""
        self.evaluations += after.evaluations - before.evaluations
        spent = after.spent.beyond(before.spent)
        self.tokens += spent.tokens
        self.usd += spent.usd

    @property
    def overdrawn(self) -> bool:
        """Whether others have taken an evaluation that was reserved here."""
        return self.limits.evaluations is not None and self.evaluations > self.limits.evaluations

    def hold(self, allowance: Cost) -> None:
        """Reserve what a proposal may cost."""
        self._held_tokens += allowance.tokens
        self._held_usd += Fraction(allowance.usd or 0.0)

    def settle(self, allowance: Cost, cost: Cost) -> None:
        """Give a reservation back and charge what the proposal did cost."""
        self._held_tokens -= allowance.tokens
        self._held_usd -= Fraction(allowance.usd or 0.0)
        self.tokens += cost.tokens
        self.usd += cost.usd or 0.0

    def exhausted(self, allowance: Cost | None = None) -> str | None:
        """The name of the limit that is reached, or that one more proposal of this allowance may pass, or None."""
        limits = self.limits
        further = Cost() if allowance is None else allowance
        tokens = self._held_tokens + further.tokens
        usd = float(self._held_usd + Fraction(further.usd or 0.0))
        reached = {
            "evaluations": limits.evaluations is not None and self.evaluations >= limits.evaluations,
            "time": limits.seconds is not None and self.seconds >= limits.seconds,
            "tokens": limits.tokens is not None and passed(self.tokens, tokens, limits.tokens),
            "usd": limits.usd is not None and passed(self.usd, usd, limits.usd),
        }
        return next((name for name, value in reached.items() if value), None)

    def seconds_left(self) -> float | None:
        """Until the time limit, or None where there is none."""
        return None if self.limits.seconds is None else max(0.0, self.limits.seconds - self.seconds)


def passed(spent: float, reserved: float, limit: float) -> bool:
    """Whether a limit is reached, or could be passed by what is reserved."""
    return spent >= limit or spent + reserved > limit
