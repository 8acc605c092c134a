"""A description becomes a task: a model drafts it, the draft is tried, and what is wrong goes back, at most N times.

The definition with self-correction of LLMOPT (Learning to Define and Solve General Optimization Problems from Scratch),
applied to tasks of a search: what is corrected is instances, judge and programs, by running them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...archive import Replied
from ...sandbox import Backend, SandboxSpec, open_sandbox
from ...sandbox.text import bounded_text
from ..llm.assembly import ChatTransport
from ..llm.calls import Calls
from ..llm.client import ChatClient
from ..llm.cost import BYTES_PER_TOKEN, Message, Purse, prompt_estimate
from ..llm.edits import Unusable
from ..llm.prompts import fenced
from ..llm.settings import LLMSettings, ModelSettings
from ..proposer import Cost, NoProposal, ProposerFailed
from .log import NAME, Log, Tried
from .proving import prove
from .record import read
from .writing import FILES, render, write

DRAFTS = "drafts"
MAX_DESCRIPTION = 24_000
MAX_PROBLEM = 2_000


class FormulationError(Exception):
    """Why there can be no formulation, in one line that says what to do."""


class Refused(Exception):
    """No draft was sound; one line with what was wrong with the last one. ``cost``: of all replies."""

    def __init__(self, reason: str, cost: Cost) -> None:
        super().__init__(reason)
        self.cost = cost


@dataclass(frozen=True)
class Formulated:
    """``problems``: what was wrong with the drafts before the accepted one. ``cost``: of all replies in the log."""

    task: Path
    problems: tuple[str, ...]
    cost: Cost


@dataclass(frozen=True)
class Order:
    """What is to be formulated and how. ``tokens`` and ``usd`` are limits; None: none but the number of rounds."""

    description: str
    directory: Path
    settings: LLMSettings
    rounds: int = 3
    tokens: int | None = None
    usd: float | None = None
    backend: Backend = Backend.BUBBLEWRAP


async def formulate(order: Order, say: Callable[[str], None]) -> Formulated:
    """A task in ``order.directory``; ``say`` is told what was wrong with each draft.

    The folder may hold what an earlier attempt left: its replies are used again where the prompts are the same.
    Raises: FormulationError, Refused, SandboxError, OSError.
    """
    name, model = _sole(order)
    if order.backend is Backend.UNSAFE:
        raise FormulationError("what a model writes is tried in a jail only: set unsafe: false in the configuration")
    if len(order.description) > MAX_DESCRIPTION:
        raise FormulationError(f"the description is longer than {MAX_DESCRIPTION} characters: shorten it")
    open_sandbox(SandboxSpec(backend=order.backend)).close()
    log = Log(order.directory)
    transports = {name: ChatTransport(ChatClient(name, model))}
    calls = Calls(transports, log, order.settings.tries, order.settings.backoff_seconds)
    purse = Purse(_allowance(order, model), order.settings.max_usd_per_call)
    try:
        return await _Rounds(order, name, model, calls, purse, log, say).run()
    except (NoProposal, ProposerFailed) as error:
        spent = purse.spent
        raise FormulationError(
            f"{error}; {spent.tokens} tokens were used, and the replies in {order.directory / NAME} are used again by "
            "the same command"
        ) from None
    finally:
        await calls.close()


def is_free(directory: Path) -> bool:
    """Whether a folder can take a task: it is empty, or holds only what an earlier attempt left."""
    found = {path.name for path in directory.iterdir()} if directory.exists() else set()
    return not found or (NAME in found and found <= {NAME, DRAFTS})


def _sole(order: Order) -> tuple[str, ModelSettings]:
    if len(order.settings.models) != 1:
        raise FormulationError("one model formulates: name it with --model")
    return next(iter(order.settings.models.items()))


def _allowance(order: Order, model: ModelSettings) -> Cost:
    most = order.rounds * BYTES_PER_TOKEN * model.context_tokens
    return Cost(most if order.tokens is None else order.tokens, order.usd)


@dataclass
class _Rounds:
    order: Order
    name: str
    model: ModelSettings
    calls: Calls
    purse: Purse
    log: Log
    say: Callable[[str], None]

    async def run(self) -> Formulated:
        """Raises: Refused, FormulationError, NoProposal, ProposerFailed, SandboxError, OSError."""
        opening = [
            Message("system", render("system.md")),
            Message("user", render("ask.md", description=fenced(self.order.description, MAX_DESCRIPTION))),
        ]
        messages, problems = opening, list[str]()
        for number in range(1, self.order.rounds + 1):
            reply = await self.calls.ask(self.name, self._fitting(messages), self.purse, 0, number)
            place = self.order.directory / DRAFTS / f"round_{number}"
            try:
                self._tried(reply, place)
            except Unusable as unusable:
                problems.append(" ".join(bounded_text(str(unusable), MAX_PROBLEM).split()))
                self.log.record(Tried(round=number, accepted=False, problem=problems[-1]))
                self.say(f"round {number} of {self.order.rounds}: {problems[-1]}")
                told = render("wrong.md", problem=fenced(str(unusable), MAX_PROBLEM))
                messages = [*opening, Message("assistant", reply.text), Message("user", told)]
            else:
                self.log.record(Tried(round=number, accepted=True))
                self._accept(place)
                return Formulated(self.order.directory, tuple(problems), self.purse.spent)
        raise Refused(
            f"no sound task after {self.order.rounds} rounds; the last draft: {problems[-1]}; more --rounds go on from "
            f"there, and {self.order.directory / DRAFTS} holds the drafts",
            self.purse.spent,
        )

    def _tried(self, reply: Replied, place: Path) -> None:
        """Raises: Unusable, SandboxError, OSError."""
        if reply.finish == "filtered":
            raise Unusable("the endpoint withheld the reply")
        if reply.finish == "length":
            raise Unusable(f"the reply broke off at its limit of {self.model.max_output_tokens} tokens: be shorter")
        draft = read(reply.text)
        write(place, draft, self._task_id())
        prove(place, self.order.backend)

    def _task_id(self) -> str:
        return "".join(letter if letter.isalnum() else "_" for letter in self.order.directory.resolve().name)

    def _fitting(self, messages: list[Message]) -> list[Message]:
        needed, most = prompt_estimate(messages), self.model.context_tokens - self.model.max_output_tokens
        if needed > most:
            raise FormulationError(
                f"the prompt needs about {needed} tokens and the model reads {most}: shorten the description, or give "
                "the model's true context_tokens in a configuration file"
            )
        return messages

    def _accept(self, place: Path) -> None:
        for name in FILES:
            (place / name).replace(self.order.directory / name)
        shutil.rmtree(self.order.directory / DRAFTS)
