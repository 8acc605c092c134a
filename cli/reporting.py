"""``speciate report`` and ``speciate plot``: a run as a page, and its figures as files."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .browsing import RunDirectory
from .output import Json, emit_json, note

if TYPE_CHECKING:
    from ..archive.history import History
    from ..evaluators import TaskFolder
    from ..evaluators.redteam import Finding


def report(
    directory: RunDirectory,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE.html", help="The page to write.")],
    attack: Annotated[
        bool, typer.Option("--redteam", help="Also try ways of cheating on the task, and report what was held.")
    ] = False,
    json: Json = False,
) -> None:
    """Write a run as one HTML page: figures, the best program and its lineage, cost, and why to believe it."""
    from ..agents.glossary import glossary
    from ..archive import Journal, verify
    from ..archive.history import read_history
    from ..archive.report import Content, write_report

    if out.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"'{out}' is no page: give a name that ends in .html", param_hint="-o")
    history = read_history(directory)
    folder = _folder(history)
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        problems = verify(journal).problems
    findings = _findings(folder) if attack else None
    task = folder.task if folder else None
    write_report(Content(history, task, glossary(), findings, problems), out)
    if json:
        emit_json({"file": out})
        return
    note(f"wrote {out} ({out.stat().st_size / 1024:.0f} KB)")


def _folder(history: History) -> TaskFolder | None:
    """The run's task, or None and a note where its files are gone or have changed."""
    from ..evaluators import TaskError, reload_task

    started = history.state.started
    assert started is not None
    try:
        return reload_task(started.task, started.task_path, started.task_digest)
    except TaskError as error:
        note(f"{error}; the report goes without what only they say")
        return None


def _findings(folder: TaskFolder | None) -> list[Finding]:
    from ..evaluators import TaskError
    from ..evaluators.redteam import attack_task
    from ..sandbox import Backend, open_sandbox

    if folder is None:
        raise TaskError("the red team needs the task's files: restore them or leave out --redteam")
    note("trying ways of cheating on this machine")
    with contextlib.closing(open_sandbox(folder.spec(Backend.BUBBLEWRAP))) as sandbox:
        return list(attack_task(folder, sandbox))


def plot(
    directory: RunDirectory,
    figure: Annotated[
        str, typer.Argument(metavar="FIGURE", help="progress, lineage, maps, yields, instances or timing.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="A .png, .svg or .pdf file.")],
    json: Json = False,
) -> None:
    """Draw one figure of a run as PNG, SVG or PDF."""
    from ..archive.history import read_history
    from ..archive.report import FIGURES, FORMATS, Content, NothingToDraw, write_figure

    if out.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"'{out}' must end in {', '.join(FORMATS)}", param_hint="-o")
    if figure not in FIGURES:
        raise typer.BadParameter(f"no figure '{figure}': choose {', '.join(FIGURES)}", param_hint="FIGURE")
    history = read_history(directory)
    folder = _folder(history)
    try:
        write_figure(Content(history, folder.task if folder else None, {}), figure, out)
    except NothingToDraw as error:
        raise typer.BadParameter(str(error), param_hint="FIGURE") from None
    if json:
        emit_json({"file": out})
        return
    note(f"wrote {out}")
