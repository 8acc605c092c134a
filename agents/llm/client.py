"""One try of one call at an endpoint that speaks the chat completions protocol of OpenAI."""

from __future__ import annotations

import asyncio
import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from .cost import Message
from .settings import ModelSettings

if TYPE_CHECKING:
    from openai import APIError, AsyncOpenAI

Finish = Literal["stop", "length", "filtered"]

PATH = "/chat/completions"

NO_KEY = "none"
"""What is sent where an endpoint needs no key: the package wants one."""

LONGEST_WAIT = 300.0
"""Seconds that an endpoint may ask us to wait."""


@dataclass
class Answer:
    """What came of a call, whole or as far as it came. Token counts are None where the endpoint gave none."""

    text: str = ""
    reasoning: str = ""
    finish: Finish | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int = 0


class Failed(Exception):
    """A try that gave no whole answer.

    ``again``: another try may succeed, after ``wait`` seconds where the endpoint says so. ``billed`` is what came of it
    where the endpoint may charge for it. ``lasting``: every other call would end in the same way.
    """

    def __init__(
        self,
        reason: str,
        *,
        again: bool = False,
        wait: float | None = None,
        billed: Answer | None = None,
        lasting: bool = False,
    ) -> None:
        super().__init__(reason)
        self.again = again
        self.wait = wait
        self.billed = billed
        self.lasting = lasting


def key_of(model: ModelSettings, environment: Mapping[str, str] = os.environ) -> str | None:
    """The key of a model's endpoint; None where it is not set, though the endpoint needs one."""
    if model.api_key_env is None:
        return NO_KEY
    return environment.get(model.api_key_env, "").strip() or None


@dataclass
class ChatClient:
    """Asks one model. Made in the event loop that uses it; ``close`` it there."""

    name: str
    model: ModelSettings
    _openai: AsyncOpenAI | None = field(default=None, repr=False)

    async def answer(self, messages: list[Message]) -> Answer:
        """Raises: Failed."""
        import openai

        so_far = Answer()
        try:
            async with asyncio.timeout(self.model.timeout_seconds):
                await self._ask(messages, so_far)
        except TimeoutError:
            raise Failed(f"no whole reply within {self.model.timeout_seconds:g} s", again=True, billed=so_far) from None
        except openai.APIError as error:
            raise self._failed(error, so_far) from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise Failed("the reply is not JSON", again=True, billed=so_far) from None
        if so_far.finish is None:
            raise Failed("the reply broke off", again=True, billed=so_far)
        return so_far

    async def _ask(self, messages: list[Message], so_far: Answer) -> None:
        from openai import AsyncStream

        body = _body(self.name, self.model, messages)
        # Past the package's own method, whose models of each piece cost more than all else that a call does here.
        if not self.model.stream:
            _read(await self._client().post(PATH, cast_to=object, body=body), so_far)
            return
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        stream = await self._client().post(PATH, cast_to=object, body=body, stream=True, stream_cls=AsyncStream[object])
        async with stream:
            async for chunk in stream:
                _gather(chunk, so_far)

    def _client(self) -> AsyncOpenAI:
        if self._openai is None:
            from openai import AsyncOpenAI

            self._openai = AsyncOpenAI(
                api_key=key_of(self.model) or NO_KEY,
                base_url=self.model.base_url,
                timeout=self.model.silence_seconds if self.model.stream else self.model.timeout_seconds,
                max_retries=0,
            )
        return self._openai

    async def models(self) -> list[str] | None:
        """What the endpoint serves; None where it does not tell. Raises: Failed."""
        import openai

        try:
            page = await self._client().with_options(timeout=15).models.list()
            return [str(model.id) for model in page.data]
        except openai.NotFoundError:
            return None
        except openai.APIError as error:
            raise self._failed(error, Answer()) from None
        except (ValueError, AttributeError, TypeError):
            return None

    def _failed(self, error: APIError, so_far: Answer) -> Failed:
        import openai

        said = " ".join(self.redacted(error.message).split())[:300]
        if isinstance(error, openai.APITimeoutError):
            return Failed("the endpoint fell silent", again=True, billed=so_far)
        if isinstance(error, openai.APIConnectionError):
            begun = bool(so_far.text or so_far.reasoning)
            cause = "the connection broke off" if begun else f"no connection to {self.model.base_url}"
            return Failed(cause, again=True, billed=so_far if begun else None)
        if not isinstance(error, openai.APIStatusError):
            return Failed(said or "an error came in place of the reply", again=True, billed=so_far)
        status = error.status_code
        if status in (401, 403):
            key = f"the key in {self.model.api_key_env}" if self.model.api_key_env else "a call without a key"
            return Failed(f"{self.model.base_url} refuses {key} ({status}): {said}", lasting=True)
        if status == 404:
            return Failed(f"{self.model.base_url} has no model '{self.model.id or self.name}': {said}", lasting=True)
        if status in (408, 409, 425, 429) or status >= 500:
            spent = status == 429 and error.code == "insufficient_quota"
            wait = _retry_after(error.response.headers)
            return Failed(f"status {status}: {said}", again=not spent, wait=wait, lasting=spent)
        return Failed(f"the endpoint refuses the request (status {status}): {said}")

    def redacted(self, text: str) -> str:
        """The text without the key, should the endpoint repeat it."""
        key = key_of(self.model)
        return text if not key or key == NO_KEY else text.replace(key, "[key]")

    async def close(self) -> None:
        if self._openai is not None:
            await self._openai.close()
            self._openai = None


def _body(name: str, model: ModelSettings, messages: list[Message]) -> dict[str, Any]:
    limit = "max_completion_tokens" if model.reasoning else "max_tokens"
    chosen = {"temperature": model.temperature, "top_p": model.top_p, "reasoning_effort": model.reasoning_effort}
    return {
        "model": model.id or name,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        limit: model.max_output_tokens,
        **{key: value for key, value in chosen.items() if value is not None},
        **model.extra_body,
    }


def _part(value: object, name: str) -> Any:
    """An endpoint may send anything."""
    return value.get(name) if isinstance(value, dict) else None


def _choices(document: object) -> list[Any]:
    choices = _part(document, "choices")
    return choices if isinstance(choices, list) else []


def _read(reply: object, so_far: Answer) -> None:
    """A reply that came in one piece."""
    choices = _choices(reply)
    if not choices:
        raise Failed("the reply holds no choice", again=True, billed=so_far)
    message = _part(choices[0], "message")
    _count(_part(reply, "usage"), so_far)
    _take(message, so_far)
    so_far.finish = _finish(_part(choices[0], "finish_reason") or "stop", message)


def _gather(chunk: object, so_far: Answer) -> None:
    _count(_part(chunk, "usage"), so_far)
    for choice in _choices(chunk):
        delta, reason = _part(choice, "delta"), _part(choice, "finish_reason")
        _take(delta, so_far)
        if reason is not None:
            so_far.finish = _finish(reason, delta)


def _take(message: object, so_far: Answer) -> None:
    """Endpoints name what reasoning models think ``reasoning_content`` or ``reasoning``."""
    said = _part(message, "content") or _part(message, "refusal")
    thought = _part(message, "reasoning_content") or _part(message, "reasoning")
    so_far.text += said if isinstance(said, str) else ""
    so_far.reasoning += thought if isinstance(thought, str) else ""


def _finish(reason: object, message: object) -> Finish:
    if reason == "content_filter" or _part(message, "refusal"):
        return "filtered"
    return "length" if reason == "length" else "stop"


def _count(usage: object, so_far: Answer) -> None:
    counted = [_part(usage, "prompt_tokens"), _part(usage, "completion_tokens")]
    if not all(isinstance(count, int) and count >= 0 for count in counted):
        return
    so_far.prompt_tokens, so_far.output_tokens = counted
    thought = _part(_part(usage, "completion_tokens_details"), "reasoning_tokens")
    so_far.reasoning_tokens = thought if isinstance(thought, int) else 0


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asks us to wait: a number, or a date of HTTP; None where it says nothing sensible."""
    said = headers.get("retry-after")
    if said is None:
        return None
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if math.isfinite(seconds) else None
