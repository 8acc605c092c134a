"""Horizontal bars in eighths of a character, as text."""

from __future__ import annotations

EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """A bar that fills ``share`` (in [0, 1]) of so many columns; anything above 0 shows."""
    share = min(1.0, max(0.0, share))
    eighths = round(share * width * 8)
    eighths = max(eighths, 1) if share > 0 else 0
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)


def gauge(share: float, width: int) -> str:
    """As ``bar``, on a track."""
    full = round(min(1.0, max(0.0, share)) * width)
    return "━" * full + "╌" * (width - full)
