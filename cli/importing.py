"""``speciate import``, and a run of other systems' files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import Json, emit_json, note

if TYPE_CHECKING:
    from ..tasks.peers.importing import Imported

Together = Annotated[
    bool, typer.Option("--together", help="Run a ShinkaEvolve evaluator in one process with the program.")
]
ProblemSize = Annotated[
    int | None, typer.Option("--n", min=1, help="Size of an AlgoTune task's problems; found out by default.")
]
FOLDER = "task"
"""Of a run of files: where in the run's folder their task is."""


def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE... DIR", help="The task's files, and the folder to write.")
    ],
    together: Together = False,
    n: ProblemSize = None,
    json: Json = False,
) -> None:
    """Turn a task of OpenEvolve, SkyDiscover, ShinkaEvolve, AlgoTune or KernelBench into a task folder."""
    from ..tasks.peers.importing import import_task

    if len(files) < 2:
        raise typer.BadParameter("give the files, then the folder to write: speciate import FILE... DIR")
    *sources, directory = files
    done = import_task(sources, directory, together=together, n=n, tell=note)
    if json:
        emit_json({"task": done.task, "form": done.form.value, "shared": done.shared})
        return
    told(done)
    note(f"wrote {directory}; try:")
    note(f"  speciate check {directory}")
    note(f"  speciate run {directory} --evaluations 100")


def told(done: Imported) -> None:
    """Form and trust, on stderr."""
    note(f"a task in {done.form.value}'s form: {done.trust}")


def is_task(words: list[str]) -> bool:
    """Whether the arguments of a run name a task of ours: an id or a folder."""
    return len(words) == 1 and not Path(words[0]).is_file()


def prepared(words: list[str], directory: Path, together: bool, n: int | None) -> str:
    """The task's place: of files, a new folder in the run's. Raises: TaskError, SandboxError, OSError."""
    from ..evaluators import TaskError
    from ..tasks.peers.importing import import_task, task_name

    if is_task(words):
        if together or n is not None:
            raise TaskError("--together and --n are for files of other systems, not for tasks")
        return words[0]
    if directory.exists() and any(directory.iterdir()):
        raise TaskError(f"{directory} is not empty: choose another folder for the run")
    name = task_name(Path(words[0]).with_suffix(""))
    done = import_task([Path(word) for word in words], directory / FOLDER, name=name, together=together, n=n, tell=note)
    told(done)
    return str(done.task)
