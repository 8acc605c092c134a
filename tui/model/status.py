"""Whether a run is at work, and what a list of runs shows of each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ...archive import Journal, JournalError, RunState, Stopped, is_run
from ...archive.events import RunStarted, decode
from ...archive.places import FILE, LOCK
from .reader import RunReader

LOCKS = Path("/proc/locks")
TAIL = 40
"""Events at the end of a journal among which the one that ended the run is looked for."""


def writer(directory: Path) -> int | None:
    """The process that writes the run now.

    Looks at the kernel's list of locks: to try the lock itself could keep a run from starting at that moment.
    """
    try:
        inodes = {str(path.stat().st_ino) for path in directory.glob(f"{LOCK}*")}
        lines = LOCKS.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split()
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] in inodes:
            return int(fields[4])
    return None


def status_of(state: RunState, directory: Path) -> str:
    """``running``, how it was stopped, or ``not running``."""
    if state.stopped is not None:
        return f"ended: {state.stopped}"
    return "running" if writer(directory) is not None else "not running"


@dataclass(frozen=True, slots=True)
class Glance:
    """What is seen of a run without reading all of it."""

    directory: Path
    task: str
    started: float | None
    last: float | None
    """When the last event was written; both in seconds since 1970."""
    events: int
    status: str
    error: str | None = None
    """Why it cannot be read."""
    stamp: tuple[int, ...] = ()
    """When its files were last changed."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What only the whole journal tells."""

    evaluations: int
    limit: int | None
    valid: int
    score: float | None
    certified: bool


def folders(directory: Path) -> list[Path]:
    """The runs in a folder and right below it, and of comparisons one further down. Raises: OSError."""
    below = [directory, *sorted(path for path in directory.iterdir() if path.is_dir())]
    found = [path for path in below if is_run(path)]
    nested = (path for folder in below[1:] if not is_run(folder) for path in sorted(folder.glob("*")))
    return found + [path for path in nested if is_run(path)]


def fresh_glance(directory: Path, before: Glance | None) -> Glance:
    """As ``glance``, or ``before`` where the run has ended and its files are as they were."""
    ended = before is not None and (before.error is not None or before.status.startswith("ended"))
    return before if before is not None and ended and before.stamp == _stamp(directory) else glance(directory)


def glance(directory: Path) -> Glance:
    """Reads a few events; what cannot be read says so in ``error``."""
    stamp = _stamp(directory)
    try:
        with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
            return replace(_glance(directory, journal), stamp=stamp)
    except (JournalError, ValueError) as error:
        return Glance(directory, "", None, None, 0, "cannot be read", str(error), stamp)


def _stamp(directory: Path) -> tuple[int, ...]:
    files = [directory / name for name in (FILE, f"{FILE}-wal", LOCK)]
    return tuple(file.stat().st_mtime_ns for file in files if file.exists())


def _glance(directory: Path, journal: Journal) -> Glance:
    first = next(journal.rows(), None)
    tail = list(journal.rows(max(0, journal.last - TAIL)))
    if first is None:
        return Glance(directory, "", None, None, 0, "starting" if writer(directory) else "empty")
    event = decode(first.payload)
    task = event.task if isinstance(event, RunStarted) else ""
    kinds = ("stopped", "resumed", "joined")
    ended = next((decode(row.payload) for row in reversed(tail) if row.kind in kinds), None)
    state = RunState(stopped=ended.reason if isinstance(ended, Stopped) else None)
    if state.stopped is not None and writer(directory) is not None:  # one of several conductors goes on
        state.stopped = None
    return Glance(directory, task, first.at, tail[-1].at, tail[-1].seq, status_of(state, directory))


def summaries(directories: list[Path]) -> Iterator[tuple[Path, Summary | None]]:
    """Reads each run to its end; None for one that cannot be read, and between the pages of one."""
    for directory in directories:
        try:
            with contextlib.closing(RunReader(directory)) as reader:
                while reader.step():
                    yield directory, None
                yield directory, summary(reader.state)
        except JournalError:
            yield directory, None


def summary(state: RunState) -> Summary:
    best = state.certified_best or state.best
    limit = state.started.config.get("budget", {}).get("evaluations") if state.started else None
    return Summary(
        state.evaluations, limit, state.valid, best[1].score if best else None, state.certified_best is not None
    )
