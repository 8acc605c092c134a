"""Proposers put together from their settings."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import cast

from ..opto.optimizer import Writes
from ..proposer import Cost, Desk, Operator
from .calls import Call, Transport
from .client import Answer, ChatClient
from .cost import Message, allowance
from .inbox import INBOX, PERSON, InboxTransport
from .proposer import AgentProposer, Habits
from .settings import InboxSettings, LLMSettings, ModelSettings


@dataclass(frozen=True)
class ChatTransport:
    """Calls to a model behind an endpoint."""

    client: ChatClient
    paid: bool = True

    @property
    def model(self) -> ModelSettings:
        return self.client.model

    async def answer(self, call: Call) -> Answer:
        return await self.client.answer(list(call.messages))

    def redacted(self, text: str) -> str:
        return self.client.redacted(text)

    async def close(self) -> None:
        await self.client.close()


def chat_proposer(settings: LLMSettings) -> AgentProposer:
    """The proposer ``llm``; ``settings.models`` must not be empty."""

    def transports(desk: Desk) -> Mapping[str, Transport]:
        return {name: ChatTransport(ChatClient(name, model)) for name, model in settings.models.items()}

    habits = Habits(
        models={name: model.weight for name, model in settings.models.items()},
        operators=cast("Mapping[Operator, float]", settings.operators),
        concurrency=settings.concurrency,
        repairs=settings.repairs,
        plans=settings.plan,
        starts=settings.warm_start,
        tries=settings.tries,
        backoff_seconds=settings.backoff_seconds,
        allowance=allowance(settings),
        max_usd_per_call=settings.max_usd_per_call,
    )
    return AgentProposer("llm", habits, transports)


@contextlib.asynccontextmanager
async def writing(name: str, model: ModelSettings) -> AsyncIterator[Writes]:
    """A function from a prompt to a model's reply, for workflows of one's own (see opto). It raises: Failed."""
    client = ChatClient(name, model)

    async def write(prompt: str) -> str:
        return (await client.answer([Message("user", prompt)])).text

    try:
        yield write
    finally:
        await client.close()


def inbox_proposer(settings: InboxSettings) -> AgentProposer:
    """The proposer ``inbox``: whoever answers needs neither price nor limit."""

    def transports(desk: Desk) -> Mapping[str, Transport]:
        return {INBOX: InboxTransport(desk.directory / settings.folder, settings)}

    habits = Habits(
        models={INBOX: 1.0},
        operators=LLMSettings().operators,
        concurrency=settings.concurrency,
        repairs=settings.repairs,
        plans=False,
        starts=0,
        tries=1,
        backoff_seconds=1.0,
        allowance=Cost(tokens=(1 + settings.repairs) * 4 * PERSON.context_tokens, usd=0.0),
    )
    return AgentProposer("inbox", habits, transports)
