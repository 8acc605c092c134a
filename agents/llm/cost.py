"""Tokens and money: bounds before a call, what it did cost after, estimates where the endpoint does not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..proposer import Cost
from .settings import LLMSettings, ModelSettings

BYTES_PER_TOKEN = 3
"""Of an estimate: program text has three to four."""

MESSAGE_TOKENS = 16
"""What an endpoint's template adds to each message, at most."""

MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    content: str


def estimated_tokens(text: str) -> int:
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def prompt_estimate(messages: Sequence[Message]) -> int:
    return sum(estimated_tokens(message.content) + MESSAGE_TOKENS for message in messages)


def prompt_bound(messages: Sequence[Message]) -> int:
    """More tokens than any tokenizer makes of them: none has more tokens than bytes."""
    return sum(len(message.content.encode()) + MESSAGE_TOKENS for message in messages)


def price(model: ModelSettings, prompt_tokens: int, output_tokens: int) -> float | None:
    """US dollars, or None where a price is unknown."""
    if model.input_price is None or model.output_price is None:
        return None
    return (prompt_tokens * model.input_price + output_tokens * model.output_price) / MILLION


def dearest(model: ModelSettings, messages: Sequence[Message]) -> Cost:
    """The most that one call may cost."""
    prompt = prompt_bound(messages)
    return Cost(prompt + model.max_output_tokens, price(model, prompt, model.max_output_tokens))


def dearest_call(model: ModelSettings) -> Cost:
    """The most that one call with the longest prompt may cost."""
    prompt = BYTES_PER_TOKEN * model.max_prompt_tokens
    return Cost(prompt + model.max_output_tokens, price(model, prompt, model.max_output_tokens))


def allowance(settings: LLMSettings) -> Cost:
    """What is reserved for one proposal: the same for all models, since which one is asked is not known yet."""
    calls = [dearest_call(model) for model in settings.models.values()]
    prices = [call.usd for call in calls if call.usd is not None]
    return Cost(
        tokens=round(settings.reserve * max((call.tokens for call in calls), default=0)),
        usd=settings.reserve * max(prices) if prices else None,
    )


class Purse:
    """What one proposal may still spend."""

    def __init__(self, allowance: Cost, most_usd_per_call: float | None = None) -> None:
        self._left = allowance
        self._most = most_usd_per_call
        self.spent = Cost(usd=0.0)

    def objection(self, call: Cost) -> str | None:
        """Why a call that may cost so much is not made, or None."""
        if self._most is not None and call.usd is not None and call.usd > self._most:
            return f"a call may cost ${call.usd:.4f}, more than the ${self._most:.4f} of llm.max_usd_per_call"
        if self.spent.tokens + call.tokens > self._left.tokens:
            return f"one more call may need {call.tokens} tokens, more than is left of what was reserved"
        usd = self._left.usd
        if usd is not None and call.usd is not None and (self.spent.usd or 0.0) + call.usd > usd:
            return f"one more call may cost ${call.usd:.4f}, more than is left of what was reserved"
        return None

    def pay(self, tokens: int, usd: float | None) -> None:
        """``usd`` is None where the price is unknown, which makes that of the whole proposal unknown."""
        known = usd is not None and self.spent.usd is not None
        self.spent = Cost(self.spent.tokens + tokens, (self.spent.usd or 0.0) + (usd or 0.0) if known else None)
