"""Live progress of a run: a panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING

from ..archive import Evaluated, Event, RunState
from ..discovery import Budget
from .output import console, note

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

PLAIN_EVERY = 5.0
"""Seconds between plain lines."""

RATE_WINDOW = 50
"""Programs over which the rate is taken."""


class Progress:
    """An observer of a run that shows it on stderr; use as a context manager around the run."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = console(stderr=True)
        self._quiet = quiet
        self._live: Live | None = None
        self._stage = ""
        self._times: deque[float] = deque(maxlen=RATE_WINDOW)
        self._last_line = 0.0
        self._best: str | None = None
        self._shown: tuple[RunState, Budget] | None = None

    def __enter__(self) -> Progress:
        if not self._quiet and self._console.is_terminal:
            from rich.live import Live

            self._live = Live(self, console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def stage(self, text: str) -> None:
        self._stage = text
        if self._live is None and not self._quiet:
            note(text)

    def notify(self, event: Event, state: RunState, budget: Budget) -> None:
        self._shown = (state, budget)
        self._stage = "searching"
        if not isinstance(event, Evaluated):
            return
        now = time.monotonic()
        self._times.append(now)
        best = state.best
        improved = best is not None and best[0] != self._best
        self._best = best[0] if best else None
        if self._live is None and not self._quiet and (improved or now - self._last_line > PLAIN_EVERY):
            self._last_line = now
            note(_line(state, budget, self._rate()))

    def _rate(self) -> float:
        """Programs per second over the last ``RATE_WINDOW`` of them; those that failed on smoke instances count too."""
        if len(self._times) < 2 or self._times[-1] == self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def __rich__(self) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        if self._shown is None:
            grid.add_row(self._stage or "starting")
            return grid
        state, budget = self._shown
        grid.add_row("progress", ProgressBar(total=1.0, completed=fraction(budget), width=40), left(state, budget))
        grid.add_row("best", _score(state), self._stage)
        grid.add_row("states", _counts(state), f"{self._rate():.1f} programs/s")
        return grid


def fraction(budget: Budget) -> float:
    """How much of the tightest limit is used, in [0, 1]."""
    limits = budget.limits
    parts = [
        used / limit
        for used, limit in (
            (budget.evaluations, limits.evaluations),
            (budget.seconds, limits.seconds),
            (budget.tokens, limits.tokens),
            (budget.usd, limits.usd),
        )
        if limit
    ]
    return min(1.0, max(parts, default=0.0))


def left(state: RunState, budget: Budget) -> str:
    """Evaluations that are done (the budget counts also those in flight) and the estimated time left."""
    done = fraction(budget)
    total = f"/{budget.limits.evaluations}" if budget.limits.evaluations else ""
    text = f"{state.evaluations}{total} evaluations, {budget.seconds:.0f} s"
    return text if done <= 0 else f"{text}, about {budget.seconds * (1 - done) / done:.0f} s left"


def _score(state: RunState) -> str:
    if state.best is None:
        return "-"
    _, evaluation = state.best
    interval = evaluation.interval
    text = f"{evaluation.score:.3f}"
    return text if interval is None else f"{text} [{interval.low:.3f}, {interval.high:.3f}]"


def _counts(state: RunState) -> str:
    return "  ".join(f"{name.value} {count}" for name, count in state.counts.items() if count)


def _line(state: RunState, budget: Budget, rate: float) -> str:
    return f"{left(state, budget)}; best {_score(state)}; {_counts(state)}; {rate:.1f} programs/s"
