"""Prompts: a pure function of the brief and of how much the model can read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...evaluators import Evaluation, State
from ...evaluators.source import START
from ...sandbox.text import bounded_text
from ..proposer import Brief, Candidate, NoProposal, Operator
from .cost import Message, prompt_estimate

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

MAX_STATEMENT = 12_000
MAX_CODE = 40_000
MAX_FEEDBACK = 4_000
MAX_TRACE = 28_000
MAX_INSIGHT = 1_000
MAX_INSIGHTS = 12
MAX_METRICS = 12

WHOLE = (Operator.REWRITE, Operator.CROSSOVER)
"""Operators that want the whole program."""


@cache
def environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.filters |= {"repr": repr, "tuple": tuple}
    return made


def render(template: str, **values: Any) -> str:
    return environment(TEMPLATES).get_template(f"{template}.md.j2").render(**values).strip() + "\n"


def fenced(text: str, limit: int, language: str = "") -> str:
    """Foreign text between fences longer than any in it, so that it cannot end its own quotation."""
    text = bounded_text(text, limit).strip("\n")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A program as a template sees it."""

    code: str
    score: str
    metrics: str
    feedback: str


def shown(candidate: Candidate) -> Shown:
    evaluation = candidate.evaluation
    return Shown(
        fenced(candidate.program.source, MAX_CODE, "python"),
        _score(evaluation),
        _metrics(evaluation.metrics),
        fenced(evaluation.feedback, MAX_FEEDBACK) if evaluation.feedback.strip() else "Nothing was said.",
    )


def _score(evaluation: Evaluation) -> str:
    if evaluation.score is None:
        return f"none: {evaluation.state.value}" if evaluation.state is not State.VALID else "none"
    return f"{evaluation.score:.4g}"


def _metrics(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {value:.5g}" for name, value in list(metrics.items())[:MAX_METRICS])


def opening(brief: Brief, operator: Operator, most_tokens: int, ask: str | None = None) -> tuple[Message, ...]:
    """System and user message. Other programs are left out where they would pass ``most_tokens`` (estimated).

    ``ask`` takes the place of the operator's instruction. Raises: NoProposal where the program itself is too long.
    """
    system = Message("system", render("system"))
    needed = 0
    for count in range(len(_others(brief, operator)), -1, -1):
        messages = (system, Message("user", _task(brief, operator, ask or instruction(operator), count)))
        needed = prompt_estimate(messages)
        if needed <= most_tokens:
            return messages
    raise NoProposal(f"the prompt needs about {needed} tokens, the model's max_prompt_tokens is {most_tokens}")


def instruction(operator: Operator) -> str:
    return render(operator.value, form=render("form_whole" if operator in WHOLE else "form_diff"))


def _others(brief: Brief, operator: Operator) -> Sequence[Candidate]:
    return () if operator is Operator.SHORTEN else brief.inspirations


def _task(brief: Brief, operator: Operator, ask: str, count: int) -> str:
    task, parent = brief.task, shown(brief.parent)
    evaluation = brief.parent.evaluation
    interval = evaluation.interval
    return render(
        "task",
        documentation=bounded_text(task.statement, MAX_STATEMENT).strip(),
        signature=fenced(task.signature, MAX_STATEMENT, "python"),
        code=parent.code,
        has_block=START in brief.parent.program.source,
        entries=", ".join(f"`{name}`" for name in task.entries),
        imports=", ".join(f"`{name}`" for name in task.imports),
        trace=fenced(brief.trace, MAX_TRACE) if brief.trace.strip() else "",
        insights=[" ".join(bounded_text(text, MAX_INSIGHT).split()) for text in brief.insights[:MAX_INSIGHTS]],
        successes=[(success.title, fenced(success.diff, MAX_CODE, "diff")) for success in brief.successes],
        others=[shown(other) for other in _others(brief, operator)[:count]],
        objective=task.objective,
        direction=task.direction,
        score=parent.score,
        interval="" if interval is None else f"{interval.low:.4g} to {interval.high:.4g}",
        metrics=parent.metrics,
        feedback=parent.feedback,
        error=shown(brief.failed[0]) if operator is Operator.REPAIR and brief.failed else None,
        instruction=ask,
    )


def after_plan(operator: Operator) -> Message:
    return Message("user", render("after_plan", instruction=instruction(operator)))


def unusable(problem: str) -> Message:
    """The second chance of a reply that cannot be used, with what does not match."""
    return Message(
        "user",
        render(
            "unusable",
            problem=fenced(problem, MAX_FEEDBACK),
            diff=render("form_diff"),
            whole=render("form_whole"),
        ),
    )


def broken(problem: str, source: str) -> Message:
    """The second chance of a program that breaks a rule or fails on a smoke instance."""
    return Message(
        "user",
        render(
            "broken",
            problem=fenced(problem, MAX_FEEDBACK),
            code=fenced(source, MAX_CODE, "python"),
            whole=render("form_whole"),
        ),
    )
