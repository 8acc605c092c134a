"""How fast something runs at best, whatever else the machine does meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]

SECONDS = 0.12
"""Spent on one rate."""
FEWEST = 3
"""Repetitions of which the best counts."""
REPETITION = 0.004
"""Seconds that a repetition takes at least, well above a clock's resolution."""
_TINY = 1e-9


def best_rate(run: Callable[[], object], amount: float, clock: Clock = time.perf_counter) -> float:
    """Units per second of ``run``, which does ``amount`` units, in the best of several repetitions after a first one.

    What disturbs a repetition makes it slower and never faster, so the best is the nearest to the undisturbed machine.
    """
    run()
    calls = max(1, round(REPETITION / max(_lasts(run, 1, clock), _TINY)))
    best, taken, end = float("inf"), 0, time.monotonic() + SECONDS
    while taken < FEWEST or time.monotonic() < end:
        best = min(best, _lasts(run, calls, clock))
        taken += 1
    return calls * amount / max(best, _TINY)


def _lasts(run: Callable[[], object], calls: int, clock: Clock) -> float:
    begin = clock()
    for _ in range(calls):
        run()
    return clock() - begin
