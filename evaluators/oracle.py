"""Oracles: what a candidate may ask the trusted side, charged and logged there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..sandbox import OracleRefused


@dataclass(frozen=True, slots=True)
class OracleCall:
    method: str
    args: tuple[Any, ...]
    reply: Any
    cost: float


@dataclass(slots=True)
class CallLog:
    """The calls of one run on one instance, in order; handed to the judge."""

    calls: list[OracleCall] = field(default_factory=list)
    spent: float = 0.0


class Oracle:
    """Serves the methods named in ``methods``; each call is charged ``cost(method, args)`` against ``budget``.

    A subclass defines one Python method per name; it runs on the trusted side, so it must check its arguments (their
    types and shapes are the candidate's). It raises ``OracleRefused`` to send the candidate an exception.
    One object serves one run on one instance.
    """

    methods: tuple[str, ...] = ()
    budget: float = float("inf")

    def __init__(self) -> None:
        self.log = CallLog()

    def cost(self, method: str, args: tuple[Any, ...]) -> float:
        """Cost of one call in the task's own unit; one per call unless overridden."""
        return 1.0

    def serve(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Answer one request. Raises: OracleRefused for an unknown method, keyword arguments or a spent budget."""
        if method not in self.methods or kwargs:
            raise OracleRefused(f"the oracle has the methods {', '.join(self.methods)}, with positional arguments only")
        price = self.cost(method, args)
        if not self.log.spent + price <= self.budget:
            raise OracleRefused(f"the oracle's budget of {self.budget:g} is spent")
        self.log.spent += price
        reply = getattr(self, method)(*args)
        self.log.calls.append(OracleCall(method, args, reply, price))
        return reply
