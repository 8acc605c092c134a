"""Optimisers of workflows that ask a model: OptoPrime, which sees the graph, and OPRO, which does not."""

from __future__ import annotations

import json
import logging
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from .graph import Node, TraceGraph, merged
from .sections import OptoSections, fenced
from .workflow import graph_sections, masked_sections, names_of

FORM = (
    'Answer with one JSON object and nothing else: {"reasoning": "what the feedback asks for", '
    '"suggestion": {"name of a variable": its new value, ...}}. Leave out variables that should stay.'
)

_log = logging.getLogger(__name__)


class Writes(Protocol):
    """A language model."""

    async def __call__(self, prompt: str) -> str: ...


class WorkflowOptimizer(Protocol):
    async def step(self, graphs: Iterable[TraceGraph]) -> Step:
        """New values for variables of a workflow that has run."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """``values`` holds the variables that change, ``refused`` one line for each suggestion that was not taken."""

    values: dict[Node, Any]
    reasoning: str
    refused: tuple[str, ...]


class _Unusable(Exception):
    """A suggestion that is not taken; the message says why."""


class OptoPrime:
    """Tells a model the graph, the feedback and the last ``memory`` tries, and takes what it suggests.

    A reply that is not of the form, or a value of another type or against its constraint, changes nothing.
    """

    def __init__(self, write: Writes, memory: int = 4) -> None:
        self._write = write
        self._tries: deque[str] = deque(maxlen=memory)

    async def step(self, graphs: Iterable[TraceGraph]) -> Step:
        graph = merged(graphs)
        told = self._told(graph)
        past = [f"# earlier tries\n{fenced(text)}\n" for text in ["\n\n".join(self._tries)] if text]
        reply = await self._write("\n".join([told.text(), *past, FORM]))
        self._tries.append(f"{told.variables}\n-> {told.feedback}")
        step = _read(reply, {name: one for one, name in names_of(graph).items() if one.trainable})
        for line in step.refused:
            _log.warning("suggestion not taken: %s", line)
        return step

    def _told(self, graph: TraceGraph) -> OptoSections:
        return graph_sections(graph)


class Opro(OptoPrime):
    """As OptoPrime, without the graph: variables and what was said of the output, now and before."""

    def _told(self, graph: TraceGraph) -> OptoSections:
        return masked_sections(graph)


def _read(reply: str, variables: dict[str, Node]) -> Step:
    try:
        answer = _first_object(reply)
    except _Unusable as reason:
        return Step({}, "", (str(reason),))
    suggestion = answer.get("suggestion")
    reasoning = str(answer.get("reasoning", ""))
    if not isinstance(suggestion, dict):
        return Step({}, reasoning, ("the reply has no 'suggestion' with names and values",))
    values: dict[Node, Any] = {}
    refused: list[str] = []
    for name, value in suggestion.items():
        try:
            if name not in variables:
                raise _Unusable("no variable of that name")
            values[variables[name]] = _fitting(value, variables[name])
        except _Unusable as reason:
            refused.append(f"{name}: {reason}")
    return Step(values, reasoning, tuple(refused))


def _first_object(reply: str) -> dict[str, Any]:
    """The first JSON object in a reply, whatever stands around it."""
    begin = reply.find("{")
    if begin < 0:
        raise _Unusable("the reply holds no JSON object")
    try:
        return json.JSONDecoder().raw_decode(reply, begin)[0]
    except (json.JSONDecodeError, RecursionError) as error:
        raise _Unusable(f"the reply's JSON is broken: {error}") from error


def _fitting(value: Any, variable: Node) -> Any:
    """The value in the variable's type. Raises: _Unusable."""
    kind = type(variable.value)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise _Unusable(f"it must be {kind.__name__}, not {type(value).__name__}")
    if kind is float and not math.isfinite(value):
        raise _Unusable("it must be finite")
    if variable.constraint is not None and not _holds(variable.constraint.holds, value):
        raise _Unusable(f"it breaks the constraint: {variable.constraint.text}")
    return value


def _holds(rule: Callable[[Any], bool], value: Any) -> bool:
    try:
        return bool(rule(value))
    except (ArithmeticError, LookupError, SyntaxError, TypeError, ValueError):
        return False
