"""Foreign text, made harmless to show: bounded, without control characters."""

from __future__ import annotations

import re

MAX_TEXT = 2000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def bounded_text(text: str | bytes, limit: int = MAX_TEXT) -> str:
    """At most about ``limit`` characters; tabs and line ends stay, other control characters go."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    return _CONTROL.sub("", text[: limit + 16])
