"""One ledger for everything a run may spend."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ..agents import Cost
from .config import BudgetSettings


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
        self._held: list[Cost] = []
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

    def hold(self, allowance: Cost) -> None:
        """Reserve what a proposal may cost."""
        self._held.append(allowance)

    def settle(self, allowance: Cost, cost: Cost) -> None:
        """Give a reservation back and charge what the proposal did cost."""
        self._held.remove(allowance)
        self.tokens += cost.tokens
        self.usd += cost.usd or 0.0

    def exhausted(self, allowance: Cost | None = None) -> str | None:
        """The name of the limit that is reached, or that one more proposal of this allowance may pass, or None."""
        limits = self.limits
        further = Cost() if allowance is None else allowance
        tokens = sum(held.tokens for held in self._held) + further.tokens
        usd = math.fsum(held.usd or 0.0 for held in self._held) + (further.usd or 0.0)
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
