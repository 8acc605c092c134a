"""Prompts: a pure function of the brief and of how much the model can read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...archive import Program
from ...evaluators import Evaluation, State, Trace
from ...evaluators.source import START
from ...sandbox.text import bounded_text
from ..opto import trace_sections
from ..opto.sections import shortened
from ..proposer import Brief, Candidate, NoProposal, Operator
from .cost import Message, prompt_estimate

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

MAX_STATEMENT = 12_000
MAX_CODE = 40_000
MAX_FEEDBACK = 4_000
MAX_TRACE = 28_000
MAX_FAILURE = 8_000
"""Of the trace of a program that failed: both ends of it, since the exception comes last."""
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
    trace: str


def shown(candidate: Candidate) -> Shown:
    evaluation = candidate.evaluation
    return Shown(
        fenced(candidate.program.source, MAX_CODE, "python"),
        _score(evaluation),
        _metrics(evaluation.metrics),
        fenced(evaluation.feedback, MAX_FEEDBACK) if evaluation.feedback.strip() else "Nothing was said.",
        fenced(candidate.trace, MAX_TRACE) if candidate.trace.strip() else "",
    )


def _score(evaluation: Evaluation) -> str:
    if evaluation.score is None:
        return f"none: {evaluation.state.value}" if evaluation.state is not State.VALID else "none"
    return f"{evaluation.score:.4g}"


def _metrics(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {value:.5g}" for name, value in list(metrics.items())[:MAX_METRICS])


def opening(brief: Brief, operator: Operator, most_tokens: int, ask: str | None = None) -> tuple[Message, ...]:
    """System and user message. Where they would pass ``most_tokens`` (estimated) other programs are left out first,
    then traces.

    ``ask`` takes the place of the operator's instruction. Raises: NoProposal where the program itself is too long.
    """
    system = Message("system", render("system"))
    needed = 0
    briefs = [replace(brief, inspirations=brief.inspirations[:count]) for count in _counts(brief, operator)]
    for shorter in (*briefs, _untraced(briefs[-1])):
        messages = (system, Message("user", _task(shorter, operator, ask or instruction(operator))))
        needed = prompt_estimate(messages)
        if needed <= most_tokens:
            return messages
    raise NoProposal(f"the prompt needs about {needed} tokens, the model's max_prompt_tokens is {most_tokens}")


def instruction(operator: Operator) -> str:
    return render(operator.value, form=render("form_whole" if operator in WHOLE else "form_diff"))


def _counts(brief: Brief, operator: Operator) -> range:
    """How many other programs are shown, from as many as there are down to none."""
    return range(0 if operator is Operator.SHORTEN else len(brief.inspirations), -1, -1)


def _untraced(brief: Brief) -> Brief:
    parents, failed = ([replace(one, trace="") for one in shown] for shown in (brief.parents, brief.failed))
    return replace(brief, parents=tuple(parents), failed=tuple(failed))


def _task(brief: Brief, operator: Operator, ask: str) -> str:
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
        trace=parent.trace,
        insights=[" ".join(bounded_text(text, MAX_INSIGHT).split()) for text in brief.insights[:MAX_INSIGHTS]],
        successes=[(success.title, fenced(success.diff, MAX_CODE, "diff")) for success in brief.successes],
        others=[shown(other) for other in brief.inspirations],
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


def told(trace: Trace | None, program: Program) -> str:
    """The trace of a program that failed, in words; empty where there is none."""
    return "" if trace is None else shortened(trace_sections(trace, program).text(), MAX_FAILURE)


def broken(problem: str, source: str, trace: str = "") -> Message:
    """The second chance of a program that breaks a rule or fails on a smoke instance."""
    return Message(
        "user",
        render(
            "broken",
            problem=fenced(problem, MAX_FEEDBACK),
            code=fenced(source, MAX_CODE, "python"),
            trace=fenced(trace, MAX_TRACE) if trace else "",
            whole=render("form_whole"),
        ),
    )
