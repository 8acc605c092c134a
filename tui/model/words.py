"""Numbers, times and foreign text as the screens write them."""

from __future__ import annotations

import math
import re
from datetime import datetime

from ...evaluators import Interval

SHORT = 8
"""Characters of a program's id where space is dear."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Text that a program, a task or a model wrote, harmless to a terminal: control characters become a dot."""
    return _CONTROL.sub("·", text.replace("\r\n", "\n"))


def number(value: float | None, digits: int = 3) -> str:
    """A score or value in a few columns; ``-`` where there is none."""
    if value is None:
        return "-"
    if not math.isfinite(value):
        return str(value)
    if value and (abs(value) >= 1e4 or abs(value) < 10**-digits):
        return f"{value:.2e}"
    return f"{value:.{digits}f}"


def score(value: float | None) -> str:
    """A score; one has a scale of its own, so what is nearly 0 needs no further digits."""
    if value is None or not math.isfinite(value) or abs(value) >= 1e4:
        return number(value)
    return f"{value:.3f}"


def gained(value: float | None) -> str:
    """A difference of scores, with its sign."""
    return "" if value is None else ("+" if value >= 0 else "") + score(value)


def span(interval: Interval | None) -> str:
    return "" if interval is None else f"[{score(interval.low)}, {score(interval.high)}]"


def duration(seconds: float) -> str:
    """``8 s``, ``3 min 20 s``, ``2 h 5 min``, ``4 d 6 h``."""
    whole = max(0, int(seconds))
    for size, unit, smaller_size, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller_size
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def small_time(seconds: float) -> str:
    """What one evaluation takes: ``850 ms``, ``2.4 s``, or as ``duration``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def memory(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def clock(at: float) -> str:
    """Local time of day."""
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")


def day(at: float) -> str:
    """Local date and time."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def plural(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
