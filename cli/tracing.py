"""``--trace`` of ``speciate evaluate`` and ``speciate show``: what a program's lines did on a smoke instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .output import console, note, show_code

if TYPE_CHECKING:
    from ..archive import Program, RunState
    from ..evaluators import Trace

WithTrace = Annotated[
    bool, typer.Option("--trace", help="Run the program once more on a smoke instance and tell what its lines did.")
]


def trace_of(state: RunState, program: str) -> Trace:
    """The program on a smoke instance of its run: a trace of the search, else a new one.

    Raises: TaskError where the task has changed; SandboxError.
    """
    from ..api import traced
    from ..discovery.config import validate
    from ..evaluators import reload_task

    if program in state.traces:
        return state.traces[program]
    started = state.started
    assert started is not None  # load_run refuses a run without a start
    folder = reload_task(started.task, started.task_path, started.task_digest)
    backend = validate(started.config).backend
    secret = bytes.fromhex(started.secret)
    return traced(folder, state.program(program), secret, backend, state.evaluation_or_none(program))


def show_trace(trace: Trace, program: Program) -> None:
    """The lines that led to the output or exception, and the values on the way."""
    from rich.text import Text

    from ..agents.opto import trace_sections

    told = trace_sections(trace, program)
    out = console()
    out.rule("what led to the output")
    show_code(told.code)
    for name in ("inputs", "others", "outputs"):
        if said := getattr(told, name):
            out.rule(name)
            out.print(Text(said))
    note(told.feedback)
