"""Calls: each is looked up first, made at most once, paid for, and in the journal before anyone reads the reply."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ...archive import Replied
from ..proposer import NoProposal, ProposerFailed
from .client import Answer, Failed
from .cost import Message, Purse, dearest, estimated_tokens, price, prompt_estimate
from .settings import ModelSettings

GRACE = 60.0
"""Seconds that calls under way are waited for when a run ends."""

MOST_REFUSED = 3
"""Requests refused in a row, after which the endpoint is taken to refuse them all."""

LONGEST_BACKOFF = 60.0


@dataclass(frozen=True, slots=True)
class Call:
    """One question to a model: ``index`` of the proposal, ``step`` in it, ``key`` is the prompt hash."""

    index: int
    step: int
    key: str
    messages: tuple[Message, ...]


class Transport(Protocol):
    """What carries calls to a model or a person."""

    @property
    def model(self) -> ModelSettings: ...

    @property
    def paid(self) -> bool:
        """Whether a call that is given up goes on, for its reply must be paid."""
        ...

    async def answer(self, call: Call) -> Answer:
        """Raises: Failed."""
        ...

    def redacted(self, text: str) -> str: ...

    async def close(self) -> None: ...


def prompt_hash(name: str, model: ModelSettings, messages: Sequence[Message], index: int) -> str:
    """SHA-256 (hex) of all that decides on a reply; ``index`` is part of it: one prompt, two proposals, two replies."""
    asked = {
        "model": [name, model.id],
        "limits": [model.max_output_tokens, model.temperature, model.top_p, model.reasoning_effort],
        "extra": model.extra_body,
        "messages": [[message.role, message.content] for message in messages],
        "index": index,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


class Ledger(Protocol):
    """Where replies are written down, and those that are known already; both mappings by prompt hash (see Desk)."""

    @property
    def record(self) -> Callable[[Replied], None]: ...

    @property
    def replies(self) -> Mapping[str, Sequence[Replied]]: ...

    @property
    def replayed(self) -> Mapping[str, Sequence[Replied]] | None: ...


@dataclass
class Health:
    """What the calls to one model have come to lately."""

    alive_at: float = -math.inf
    """When the latest try that was answered began."""
    refused: int = 0


@dataclass
class Calls:
    """All calls of a proposer. The journal is the cache: a reply that it holds is never asked for again."""

    transports: Mapping[str, Transport]
    ledger: Ledger
    tries: int
    backoff_seconds: float
    _health: dict[str, Health] = field(default_factory=dict)
    _running: set[asyncio.Task[Replied]] = field(default_factory=set)

    async def ask(self, name: str, messages: Sequence[Message], purse: Purse, index: int, step: int) -> Replied:
        """The whole reply. Raises: NoProposal where this call may not be made or is refused; ProposerFailed."""
        transport = self.transports[name]
        most = dearest(transport.model, messages)
        objection = purse.objection(most)
        if objection is not None:
            raise NoProposal(objection)
        call = Call(index, step, prompt_hash(name, transport.model, messages, index), tuple(messages))
        reply = self._known(call, purse)
        if reply is not None:
            return reply
        task = asyncio.create_task(self._made(name, transport, call, purse))
        self._running.add(task)
        task.add_done_callback(self._ended)
        if not transport.paid:
            return await task
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Replied]) -> None:
        """A proposal that was given up does not ask why its call failed; asyncio would print what nobody asked for."""
        self._running.discard(task)
        if not task.cancelled():
            task.exception()

    def _known(self, call: Call, purse: Purse) -> Replied | None:
        """A reply of an earlier sitting or of the run that is replayed; what was broken before it is paid all the same.

        Raises: ProposerFailed where a replay has no reply.
        """
        known = self.ledger.replies.get(call.key, ())
        if not known and self.ledger.replayed is not None:
            known = self.ledger.replayed.get(call.key, ())
            for reply in known:
                self.ledger.record(reply)
        for reply in known:
            purse.pay(reply.tokens, reply.usd)
        whole = [reply for reply in known if reply.finish != "broken"]
        if not whole and self.ledger.replayed is not None:
            raise ProposerFailed(
                f"the replayed run has no reply to this prompt of proposal {call.index}: it ended before, or its task, "
                "settings, machine or version were others"
            )
        return whole[-1] if whole else None

    async def _made(self, name: str, transport: Transport, call: Call, purse: Purse) -> Replied:
        """Try until there is a whole reply. Raises: NoProposal, ProposerFailed."""
        begun, health = time.monotonic(), self._health.setdefault(name, Health())
        said, first_failed = "", math.inf
        for number in range(1, self.tries + 1):
            tried = time.monotonic()
            try:
                answer = await transport.answer(call)
            except Failed as failed:
                said, first_failed = str(failed), min(first_failed, time.monotonic())
                if failed.billed is not None:
                    self._book(name, transport, call, purse, failed.billed, said, number, begun)
                if failed.lasting:
                    raise ProposerFailed(f"{name}: {failed}") from None
                if not failed.again:
                    break
                if number < self.tries:
                    await asyncio.sleep(self._pause(number, failed.wait))
            else:
                health.alive_at, health.refused = max(health.alive_at, tried), 0
                return self._book(name, transport, call, purse, answer, "", number, begun)
        else:
            if health.alive_at < first_failed:
                raise ProposerFailed(f"{name} gave no answer in {self.tries} tries: {said}")
            raise NoProposal(f"{name} gave no answer in {self.tries} tries: {said}")
        health.refused += 1
        if health.refused >= MOST_REFUSED:
            raise ProposerFailed(f"{name}: {said}")
        raise NoProposal(f"{name}: {said}")

    def _pause(self, number: int, wait: float | None) -> float:
        """Seconds before the next try, spread so that calls which failed together do not come back together."""
        if wait is not None:
            return wait * random.uniform(1.0, 1.1)
        return min(LONGEST_BACKOFF, self.backoff_seconds * 2.0 ** (number - 1)) * random.uniform(0.5, 1.0)

    def _book(
        self,
        name: str,
        transport: Transport,
        call: Call,
        purse: Purse,
        answer: Answer,
        error: str,
        number: int,
        begun: float,
    ) -> Replied:
        """Write a reply, or what came of it, and its price to the journal."""
        counted = answer.prompt_tokens is not None and answer.output_tokens is not None
        prompt_tokens = answer.prompt_tokens if counted else prompt_estimate(call.messages)
        output_tokens = answer.output_tokens if counted else estimated_tokens(answer.reasoning + answer.text)
        assert prompt_tokens is not None
        assert output_tokens is not None
        free = transport.model.input_price == 0 and transport.model.output_price == 0
        reply = Replied(
            index=call.index,
            step=call.step,
            model=name,
            prompt_hash=call.key,
            text=transport.redacted(answer.text),
            reasoning=transport.redacted(answer.reasoning),
            finish="broken" if error else answer.finish or "stop",
            error=transport.redacted(error),
            prompt_tokens=prompt_tokens,
            output_tokens=output_tokens,
            reasoning_tokens=answer.reasoning_tokens,
            usd=price(transport.model, prompt_tokens, output_tokens),
            estimated=not counted and not free,
            tries=number,
            seconds=time.monotonic() - begun,
        )
        self.ledger.record(reply)
        purse.pay(reply.tokens, reply.usd)
        return reply

    async def close(self) -> None:
        """Wait for the calls under way, within ``GRACE``: their replies are paid for."""
        if self._running:
            await asyncio.wait(self._running, timeout=GRACE)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for transport in self.transports.values():
            await transport.close()
