"""What a program's lines did, as lines of text: the traces that a journal holds."""

from __future__ import annotations

from ...archive import RunState
from .scores import Line
from .words import SHORT, clean

SECTIONS = (("inputs", "inputs"), ("others", "values on the way"), ("outputs", "outputs"))


def trace_lines(state: RunState, program: str) -> list[Line]:
    """The lines that led to the output or exception, the values on the way, and how it ended."""
    trace = state.traces.get(program)
    if trace is None:
        return [
            Line("the journal holds no trace of it: runs record them for proposers that read them", "dim"),
            Line(f"'speciate show DIR {program[:SHORT]} --trace' takes one", "dim"),
        ]
    from ...agents.opto import trace_sections

    told = trace_sections(trace, state.program(program))
    lines = [Line("what led to the output", "strong"), *_text(told.code)]
    for name, title in SECTIONS:
        said = getattr(told, name)
        lines += [Line(""), Line(title, "strong"), *_text(said)] if said else []
    return [*lines, Line(""), *(Line(line.text, "dim") for line in _text(told.feedback))]


def _text(text: str) -> list[Line]:
    return [Line(line) for line in clean(text).splitlines()]
