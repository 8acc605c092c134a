"""What the screens of one run share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .reader import RunReader


@dataclass
class Book:
    """An open run and the program that is looked at."""

    reader: RunReader
    program: str | None = None
    order: Sequence[str] = field(default=())
    """Programs as the table shows them, for the next and the previous one."""

    def beside(self, by: int) -> str | None:
        """The program so many places further in ``order``; None at its ends."""
        order = self.order or list(self.reader.entries)
        if self.program is None or self.program not in order:
            return order[0] if order else None
        place = order.index(self.program) + by
        return order[place] if 0 <= place < len(order) else None
