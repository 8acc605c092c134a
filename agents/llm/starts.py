"""Starting points from what a model knows of the problem, before anything was tried (LLAMBO, Liu et al. 2024)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ...archive import MAIN, Program, Replied
from ...evaluators.source import START
from ...sandbox.text import bounded_text
from ..proposer import Brief, Desk
from .calls import Calls
from .cost import Message, Purse
from .edits import blocks, defines, spliced
from .numbers import NotANumber, named_numbers, with_numbers
from .prompts import MAX_STATEMENT, fenced, render
from .turns import Turn

MAX_IDEA = 300


@dataclass(frozen=True, slots=True)
class Begun:
    """A program to begin with; ``problem`` says why there is none in its place."""

    idea: str
    program: Program | None = None
    problem: str = ""


@dataclass(frozen=True)
class Starter:
    """Asks once for ``most`` starts: whole programs, or settings of the baseline's named numbers."""

    calls: Calls
    desk: Desk
    most: int

    async def ask(self, brief: Brief, model: str, purse: Purse, turn: Turn) -> tuple[Replied, list[Begun]]:
        """The reply, and what stands in it, in its order. Raises: NoProposal, ProposerFailed."""
        messages = asked(brief, self.most)
        async with turn.given():
            reply = await self.calls.ask(model, messages, purse, brief.index, 0)
        return reply, [self._kept(one, brief.parent.program) for one in found(brief, reply.text)]

    def _kept(self, one: Begun, baseline: Program) -> Begun:
        """With what breaks the task's rules, or changes nothing, taken out."""
        if one.program is None:
            return one
        if one.program.id == baseline.id:
            return Begun(one.idea, None, "a block repeats the standard method")
        violations = self.desk.violations(one.program.files)
        return Begun(one.idea, None, violations[0]) if violations else one


def asked(brief: Brief, most: int) -> tuple[Message, ...]:
    """A pure function of the brief: the statement, and of the baseline no more than its frame and its numbers."""
    task, source = brief.task, brief.parent.program.source
    numbers = "\n".join(one.text for one in named_numbers(source).values())
    text = render(
        "start",
        documentation=bounded_text(task.statement, MAX_STATEMENT).strip(),
        signature=fenced(task.signature, MAX_STATEMENT, "python"),
        numbers=fenced(numbers, MAX_STATEMENT, "python") if numbers else "",
        has_block=START in source,
        entries=", ".join(f"`{name}`" for name in task.entries),
        imports=", ".join(f"`{name}`" for name in task.imports),
        objective=task.objective,
        direction=task.direction,
        most=most,
    )
    return Message("system", render("system_start")), Message("user", text)


def found(brief: Brief, reply: str) -> Iterator[Begun]:
    """Each block of the reply that is meant for a start. Those that cannot be used say why."""
    parent = brief.parent.program
    for before, language, code in blocks(reply):
        idea = " ".join(before.split())[-MAX_IDEA:]
        try:
            if language.lower() == "json":
                source = with_numbers(parent.source, _settings(code))
            elif defines(code, brief.task.entries):
                source = spliced(parent.source, code)
            else:
                yield Begun(idea, None, f"a block does not parse or does not define {', '.join(brief.task.entries)}")
                continue
        except NotANumber as problem:
            yield Begun(idea, None, str(problem))
        else:
            yield Begun(idea, Program({**parent.files, MAIN: source}))


def _settings(text: str) -> dict[str, object]:
    """Raises: NotANumber."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise NotANumber("a block of settings is not JSON") from None
    if not isinstance(values, dict):
        raise NotANumber("a block of settings must be one object with names and numbers")
    return values
