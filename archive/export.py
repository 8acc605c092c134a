"""Export: the certified programs of runs as an installable library with its own documentation and tests."""

from __future__ import annotations

import contextlib
import keyword
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .chosen import Chosen
from .journal import Journal
from .state import replay

if TYPE_CHECKING:
    from .benchmark import Benchmark
    from .recorded import Call


class ExportError(Exception):
    """What keeps a run from being exported; one line that says what to do."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    library: Path
    functions: tuple[str, ...]
    """Qualified names, e.g. ``mylib.kmeans.solve``."""


def export(runs: Sequence[Path], destination: Path, uncertified: bool = False) -> ExportResult:
    """Write the best certified program of each run as a library; of several runs of one task the best one.

    With ``uncertified`` the best program of a run without a certificate is taken too, and marked as such.
    Raises: ExportError, JournalError, TaskError, SandboxError, each with one line for the user.
    """
    from .library import write

    destination = destination.absolute()
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise ExportError(f"{destination} is not empty: name a folder that does not exist yet")
    name = library_name(destination)
    best: dict[str, Chosen] = {}
    for run in runs:
        chosen = choose(run, uncertified)
        task = chosen.folder.task.id
        if task not in best or chosen.worth > best[task].worth:
            best[task] = chosen
    if not best:
        raise ExportError("give the folder of at least one run")
    recordings = {task: _record(chosen) for task, chosen in best.items()}
    benchmarks = {task: _benchmark(name, chosen) for task, chosen in best.items()}
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{name}-") as scratch:
        library = Path(scratch) / name
        functions = write(library, name, list(best.values()), recordings, benchmarks)
        if destination.exists():
            destination.rmdir()
        shutil.move(library, destination)
    return ExportResult(destination, functions)


def library_name(destination: Path) -> str:
    """The import name that a folder's name gives. Raises: ExportError."""
    name = re.sub(r"[-.\s]+", "_", destination.name).lower()
    if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name):
        raise ExportError(f"'{destination.name}' gives no name for a library: use letters, digits and underscores")
    return name


def choose(run: Path, uncertified: bool) -> Chosen:
    """The program of a run that is worth exporting. Raises: ExportError, JournalError, TaskError."""
    from ..evaluators import reload_task

    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        state = replay(journal)
    best = state.certified_best or (state.best if uncertified else None)
    if best is None:
        if state.best is None:
            raise ExportError(f"{run} has no valid program yet: let it go on with 'speciate resume {run}'")
        raise ExportError(
            f"{run} has no certified program: its best was not shown to beat the baseline on fresh instances; "
            "search longer, or export its best program as it is with --uncertified"
        )
    program, evaluation = best
    if program == state.baseline:
        raise ExportError(f"{run} has found nothing better than the baseline: there is nothing to export")
    started = state.started
    assert started is not None
    folder = reload_task(started.task, started.task_path, started.task_digest)
    chosen = Chosen(run, state, folder, program, evaluation, state.certificates.get(program))
    _refuse_unsafe_code(chosen)
    return chosen


def _refuse_unsafe_code(chosen: Chosen) -> None:
    from ..evaluators.import_lint import forbidden

    program = chosen.state.program(chosen.program)
    modules = {*chosen.folder.task.limits.imports, "helpers", *(Path(name).stem for name in program.files)}
    findings = [f"{name} {finding}" for name, text in program.files.items() for finding in forbidden(text, modules)]
    if findings:
        raise ExportError(
            f"program {chosen.program[:12]} of {chosen.run} is not exported, because a library must only compute: "
            f"{'; '.join(findings[:3])}"
        )


def _benchmark(name: str, chosen: Chosen) -> Benchmark:
    """Raises: SandboxError."""
    from .benchmark import measure

    files = chosen.state.program(chosen.program).files
    return measure(chosen.folder, files, f"{name}.{chosen.folder.task.id}", chosen.backend)


def _record(chosen: Chosen) -> list[Call]:
    """Calls of the program in the jail. Raises: ExportError where it no longer works; SandboxError."""
    from ..sandbox import CandidateFailed, open_sandbox
    from .recording import record

    task = chosen.folder.task
    program = chosen.state.program(chosen.program)
    try:
        with open_sandbox(chosen.folder.spec(chosen.backend)) as sandbox:
            return record(task, program.files, sandbox, seed=int(chosen.program[:8], 16))
    except (CandidateFailed, ValueError) as error:
        raise ExportError(f"program {chosen.program[:12]} of {chosen.run} does not hold: {error}") from error
