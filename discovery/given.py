"""Programs that a run is given beside the baseline: files, or what earlier runs of the task found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..agents.llm.edits import spliced
from ..archive import Program, Proposed, is_run
from ..archive.saved import read_run
from ..archive.state import GIVEN
from ..evaluators import TaskFolder
from .config import ConfigError
from .rules import Rules


def given_programs(places: Sequence[Path], folder: TaskFolder) -> dict[str, Program]:
    """By the name that they are shown with, each once; they keep the rules that all programs of a run obey.

    Raises: ConfigError; JournalError where a run cannot be read.
    """
    rules = Rules(folder.task, folder.baseline)
    found = {str(place): _best(place, folder) if is_run(place) else _read(place, folder) for place in places}
    for name, program in found.items():
        violations = rules.violations(program.files)
        if violations:
            raise ConfigError(f"--start {name}: {violations[0]}")
    by_id = {program.id: name for name, program in reversed(found.items())}
    by_id.pop(Program.of(folder.baseline).id, None)
    return {name: found[name] for name in found if name in by_id.values()}


def given_events(programs: Mapping[str, Program], islands: int) -> list[Proposed]:
    """One proposal each after the baseline's, on the islands in turn."""
    return [
        Proposed(
            index=index,
            island=(index - 1) % islands,
            files=dict(program.files),
            program=program.id,
            parents=(),
            operator=GIVEN,
            proposer=GIVEN,
            detail=name,
        )
        for index, (name, program) in enumerate(programs.items(), 1)
    ]


def _read(file: Path, folder: TaskFolder) -> Program:
    """One without the baseline's markers is put between them as a whole."""
    try:
        return Program.of(spliced(folder.baseline, file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"--start {file}: {reason}; give a program's file or a run's folder") from None


def _best(directory: Path, folder: TaskFolder) -> Program:
    state = read_run(directory)
    assert state.started is not None
    if state.started.task != folder.task.id:
        raise ConfigError(f"--start {directory}: it is a run of {state.started.task}, not of {folder.task.id}")
    best = state.certified_best or state.best
    if best is None:
        raise ConfigError(f"--start {directory}: no program of that run has a score")
    return state.program(best[0])
