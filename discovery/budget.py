"""One ledger for everything a run may spend."""

from __future__ import annotations

import time
from collections.abc import Callable

from .config import BudgetSettings


class Budget:
    """Counts evaluations, seconds, tokens and money; evaluations are reserved when they start, so none overshoots.

    ``spent_*`` are what earlier sittings of a resumed run used.
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
        self._clock = clock
        self._started = clock() - seconds

    @property
    def seconds(self) -> float:
        """Wall seconds since the run began, over all its sittings."""
        return self._clock() - self._started

    def reserve_evaluation(self) -> None:
        self.evaluations += 1

    def release_evaluation(self) -> None:
        """Give back a reservation whose proposal was never evaluated."""
        self.evaluations -= 1

    def charge(self, tokens: int, usd: float | None) -> None:
        self.tokens += tokens
        self.usd += usd or 0.0

    def exhausted(self) -> str | None:
        """The name of the limit that is reached, or None."""
        limits = self.limits
        reached = {
            "evaluations": limits.evaluations is not None and self.evaluations >= limits.evaluations,
            "time": limits.seconds is not None and self.seconds >= limits.seconds,
            "tokens": limits.tokens is not None and self.tokens >= limits.tokens,
            "usd": limits.usd is not None and self.usd >= limits.usd,
        }
        return next((name for name, value in reached.items() if value), None)

    def seconds_left(self) -> float | None:
        """Until the time limit, or None where there is none."""
        return None if self.limits.seconds is None else max(0.0, self.limits.seconds - self.seconds)
