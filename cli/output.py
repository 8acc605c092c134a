"""How commands speak: one JSON document on stdout or a table, logs and progress on stderr."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ..evaluators import Interval
    from ..sandbox import Backend

PIPED_WIDTH = 1000
"""Columns where stdout is no terminal: whatever reads it gets whole cells, a row a line."""

USAGE_ERROR = typer.BadParameter.__bases__[0]
"""The base of all that typer says of wrong usage; it has no public name."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
SandboxName = Annotated[
    str | None, typer.Option("--sandbox", metavar="NAME", help="What programs run in: bubblewrap (default) or docker.")
]
Unsafe = Annotated[bool, typer.Option("--unsafe", help="Run programs without a jail, where this machine has none.")]


DeviceName = Annotated[
    str | None,
    typer.Option("--device", help="Of a task that runs on a GPU: cuda (default), or cpu to try its code without one."),
]


def backend(sandbox: str | None, unsafe: bool = False, device: str | None = None) -> Backend:
    """Raises: ConfigError for a sandbox that does not exist, or where both are given; typer.BadParameter."""
    from ..discovery.config import load_config

    if device not in (None, "cuda", "cpu"):
        raise typer.BadParameter(f"no device '{device}': choose cuda or cpu", param_hint="--device")
    if device == "cpu":
        if sandbox is not None or unsafe:
            raise typer.BadParameter("give --device cpu without --sandbox and --unsafe", param_hint="--device")
        sandbox = "cpu-device"
    return load_config(None, sandbox=sandbox, unsafe=unsafe).backend


def console(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def show_code(source: str, language: str = "python") -> None:
    """Coloured and wrapped on a terminal; elsewhere the text as it is, so that it can be written into a file."""
    from rich.syntax import Syntax

    target = console()
    if target.is_terminal:
        target.print(Syntax(source, language, word_wrap=True))
    else:
        sys.stdout.write(source.rstrip("\n") + "\n")
        sys.stdout.flush()


def emit_json(document: Any) -> None:
    """Print one JSON document; paths and enums become text, NaN and infinity null."""
    json.dump(_plain(document), sys.stdout, indent=2)
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> None:
    from rich.table import Table
    from rich.text import Text

    out = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        out.add_column(column, overflow="fold")
    for row in rows:
        out.add_row(*(Text(str(cell)) for cell in row))
    target = console()
    if not target.is_terminal:
        target.width = PIPED_WIDTH
    target.print(out)


def note(text: str) -> None:
    """One line for people, on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def span(interval: Interval | None) -> str:
    return "" if interval is None else f"[{interval.low:.3f}, {interval.high:.3f}]"


def users_error(error: Exception) -> str | None:
    """The one line for an error that the user can mend, or None for a fault of ours."""
    if isinstance(error, USAGE_ERROR):
        return _usage(error)
    if isinstance(error, _users_errors()):
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        return _of_the_system(error)
    return None


def _usage(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "speciate"
    return " ".join(f"{error.format_message().rstrip('.')}; see '{command} --help'".split())


def _users_errors() -> tuple[type[Exception], ...]:
    from ..agents.formulation import FormulationError
    from ..archive import ExportError, JournalError
    from ..discovery.config import ConfigError
    from ..discovery.landing import RunFailed
    from ..evaluators import TaskError
    from ..evaluators.hardware import MeasurementFailed
    from ..sandbox import SandboxError

    ours = (TaskError, SandboxError, MeasurementFailed)
    return (*ours, ExportError, JournalError, ConfigError, RunFailed, FormulationError)


def _of_the_system(error: OSError) -> str | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({error.strerror}): free some space and try again"
    return None if error.filename is None else f"{error.filename}: {error.strerror}"
