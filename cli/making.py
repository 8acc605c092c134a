"""``speciate export`` and ``speciate new``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import Json, emit_json, note


def export(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of runs.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the library to write.")],
    uncertified: Annotated[
        bool, typer.Option("--uncertified", help="Export best programs without a certificate too.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the certified programs of runs as an installable library with its own tests and benchmarks."""
    from ..archive.export import export as write_library

    result = write_library(directories, out, uncertified=uncertified)
    if json:
        emit_json({"library": result.library, "functions": result.functions})
        return
    note(f"wrote {result.library} with {', '.join(result.functions)}")
    note(f"  pip install {result.library}   # or: pip wheel --no-deps --no-build-isolation {result.library}")


def new(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new task.")],
    json: Json = False,
) -> None:
    """Scaffold a task of your own: a small working one to change."""
    from ..evaluators import TaskError
    from .scaffold import scaffold

    if directory.exists() and any(directory.iterdir()):
        raise TaskError(f"{directory} is not empty: choose a folder that does not exist yet")
    scaffold(directory)
    if json:
        emit_json({"task": directory})
        return
    note(f"wrote {directory}/task.py, baseline.py and reference.py; try:")
    note(f"  speciate check {directory}")
    note(f"  speciate run {directory} --evaluations 100")
