"""A brief and the trace of its parent, in the sections that a model is told."""

from __future__ import annotations

from ...archive import Program
from ...evaluators import State, Trace
from ...evaluators.source import START
from ..proposer import Brief, Candidate, TaskCard
from .cut import calls_text, code_text, cut, named, raised_text, values_text
from .sections import OptoSections


def render(brief: Brief, trace: Trace | None) -> OptoSections:
    """Pure: the same brief and trace give the same text.

    Without a trace there are no ``code``, ``inputs`` and ``others``: what the paper calls the masked trace.
    """
    parent = brief.parent
    told = _traced(trace, parent.program)
    return OptoSections(
        code=told.code,
        documentation=f"{brief.task.statement.strip()}\n\n{brief.task.signature}",
        variables=_variables(parent.program),
        constraints=_constraints(brief.task, parent.program),
        inputs=told.inputs,
        others=told.others,
        outputs=told.outputs,
        feedback="\n".join(part for part in (_judged(parent), told.feedback) if part),
    )


def trace_sections(trace: Trace, program: Program) -> OptoSections:
    """What a trace alone has to tell, for people."""
    return _traced(trace, program)


def _traced(trace: Trace | None, program: Program) -> OptoSections:
    if trace is None:
        return OptoSections(instruction="")
    said = f"traced on the smoke instance {trace.instance}: {trace.state.value}"
    said += f" ({trace.note})" if trace.note else ""
    last = trace.last
    if last is None:
        return OptoSections(instruction="", feedback=f"{said}; nothing was recorded")
    lines = cut(last, program.files)
    others = (values_text(lines), calls_text(last.calls, lines))
    if not last.complete:
        said += f"; recorded are the first {last.events} lines run"
    if trace.state is not State.VALID:
        said += "; a traced program runs slower than usual"
    return OptoSections(
        instruction="",
        code=code_text(lines, program.files),
        inputs=named(last.inputs),
        others="\n".join(part for part in others if part),
        outputs="" if last.output is None else str(last.output),
        feedback=said if last.raised is None else f"{said}\n{raised_text(last.raised)}",
    )


def _variables(program: Program) -> str:
    if len(program.files) == 1:
        return program.source
    return "\n".join(f"-- {name}\n{text}" for name, text in program.files.items())


def _constraints(task: TaskCard, program: Program) -> str:
    told = [f"define {', '.join(task.entries)} with the signature above", f"import only {', '.join(task.imports)}"]
    if any(START in text for text in program.files.values()):
        told.append("change only what stands between EVOLVE-BLOCK-START and EVOLVE-BLOCK-END; keep these markers")
    return "\n".join(f"- {line}" for line in told)


def _judged(parent: Candidate) -> str:
    evaluation = parent.evaluation
    score = "none" if evaluation.score is None else f"{evaluation.score:.4g}"
    head = f"{evaluation.state.value}, score {score} (0 is the standard method, more is better)"
    return "\n".join(part for part in (head, evaluation.feedback) if part)
