"""Spent: what the proposals of a run cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from .events import Dropped, Proposed, Replied


@dataclass(frozen=True, slots=True)
class Bill:
    """``usd`` is money of known price; ``unpriced`` are those of the tokens whose price is unknown."""

    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0

    @classmethod
    def of(cls, tokens: int, usd: float | None) -> Bill:
        return cls(tokens, usd or 0.0, tokens if usd is None else 0)

    def plus(self, other: Bill) -> Bill:
        return Bill(self.tokens + other.tokens, self.usd + other.usd, self.unpriced + other.unpriced)

    def beyond(self, other: Bill) -> Bill:
        """What of this is not in ``other`` yet."""
        return Bill(
            max(0, self.tokens - other.tokens),
            max(0.0, self.usd - other.usd),
            max(0, self.unpriced - other.unpriced),
        )


@dataclass(slots=True)
class Spent:
    """A reply is charged when it comes; its proposal, which names the sum of its replies, is not charged twice."""

    total: Bill = Bill()
    cpu_seconds: float = 0.0
    _open: dict[int, Bill] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        return self.total.tokens

    @property
    def usd(self) -> float:
        return self.total.usd

    @property
    def unpriced_tokens(self) -> int:
        return self.total.unpriced

    def reply(self, event: Replied) -> None:
        bill = Bill.of(event.tokens, event.usd)
        self.total = self.total.plus(bill)
        self._open[event.index] = self._open.get(event.index, Bill()).plus(bill)

    def settle(self, event: Proposed | Dropped) -> None:
        self.total = self.total.plus(Bill.of(event.tokens, event.usd).beyond(self._open.pop(event.index, Bill())))
        self.cpu_seconds += event.cpu_seconds

    def of_open(self, indices: list[int]) -> Bill:
        """What replies to these proposals, none of which has come to its end, have cost so far."""
        total = Bill()
        for index in indices:
            total = total.plus(self._open.get(index, Bill()))
        return total
