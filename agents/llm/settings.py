"""What the agents are told: models with their prices and limits, operators, bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from ..proposer import Operator

Positive = Annotated[float, Field(gt=0)]
Price = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$", max_length=120)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]

OPENAI = "https://api.openai.com/v1"

OPERATORS = (Operator.DIFF, Operator.REWRITE, Operator.CROSSOVER, Operator.REPAIR, Operator.SHORTEN)


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelSettings(_Settings):
    """One model behind an endpoint that speaks the chat completions protocol of OpenAI."""

    id: str | None = None
    """What the endpoint calls it; the name that it has here by default."""
    base_url: str = OPENAI
    api_key_env: str | None = "OPENAI_API_KEY"
    """The environment variable that holds the key; None for an endpoint that needs none."""
    weight: Positive = 1.0
    """How often it is asked, beside the others, before anything is known of its successes."""
    input_price: Price | None = None
    output_price: Price | None = None
    """US dollars per million tokens; None where unknown, 0 for what costs nothing."""
    context_tokens: Count = 65_536
    max_prompt_tokens: Count = 16_000
    """Prompts are made to fit, by an estimate of three bytes a token."""
    max_output_tokens: Count = 8_192
    """Reasoning included."""
    reasoning: bool = False
    """Whether the endpoint wants ``max_completion_tokens`` for the limit and takes ``reasoning_effort``."""
    reasoning_effort: Effort | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    extra_body: dict[str, Any] = {}
    """Further parameters of the endpoint, sent as they are."""
    stream: bool = True
    """Whether the reply is read while it is made: a connection that has died is noticed after ``silence_seconds``."""
    silence_seconds: Positive = 120.0
    timeout_seconds: Positive = 900.0
    """For one try as a whole."""

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write it as http://host:port/v1 or https://host/v1")
        if parts.username or parts.password or parts.query:
            raise ValueError("no secrets in addresses: name an environment variable in api_key_env")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _fits(self) -> ModelSettings:
        if self.max_prompt_tokens + self.max_output_tokens > self.context_tokens:
            raise ValueError("max_prompt_tokens + max_output_tokens must not exceed context_tokens")
        if self.reasoning_effort is not None and not self.reasoning:
            raise ValueError("reasoning_effort needs reasoning: true")
        return self

    @property
    def priced(self) -> bool:
        return self.input_price is not None and self.output_price is not None


class LLMSettings(_Settings):
    """The language models of a run and how they are used."""

    models: dict[Name, ModelSettings] = {}
    operators: dict[Operator, Positive] = {
        Operator.DIFF: 4.0,
        Operator.REWRITE: 2.0,
        Operator.CROSSOVER: 1.0,
        Operator.REPAIR: 1.0,
        Operator.SHORTEN: 0.5,
    }
    """Weights before anything is known of their successes; what is left out is never used."""
    concurrency: Count = 8
    """Proposals in flight."""
    warm_start: Annotated[int, Field(ge=0)] = 3
    """Programs to begin with, or settings of the baseline's numbers, that one model is asked for once, before anything
    was tried; 0: none."""
    plan: bool = False
    """Whether a plan is asked for in a call of its own, before the program."""
    repairs: Annotated[int, Field(ge=0)] = 2
    """Further calls in which a reply that cannot be used, or a program that fails on smoke instances, is mended."""
    tries: Count = 6
    """Of one call, where the endpoint is busy, fails or falls silent."""
    backoff_seconds: Positive = 1.0
    """Before the second try where the endpoint does not say how long; doubled for each further one."""
    reserve: Positive = 2.0
    """What one proposal may cost, in calls at their dearest; reserved before, settled after."""
    max_usd_per_call: Positive | None = None

    @field_validator("operators")
    @classmethod
    def _known(cls, value: dict[Operator, float]) -> dict[Operator, float]:
        strange = [name for name in value if name not in OPERATORS]
        if strange:
            raise ValueError(f"'{strange[0]}' is none of {', '.join(OPERATORS)}")
        if not {Operator.DIFF, Operator.REWRITE} & set(value):
            raise ValueError("diff or rewrite must be among them: the others do not fit every parent")
        return value


class InboxSettings(_Settings):
    """How people and coding agents answer: see docs/agents.md."""

    folder: str = "inbox"
    """Relative to the run's folder."""
    concurrency: Count = 4
    """Requests that lie open."""
    timeout_seconds: Positive | None = None
    """After which a request is closed; None: never."""
    poll_seconds: Positive = 0.5
    repairs: Annotated[int, Field(ge=0)] = 1
