"""One program: its text, what it changed, what it gained."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...archive import MAIN, JournalError, RunState
from ...evaluators import TaskError
from ...evaluators.loader import task_place
from .words import SHORT

CONTEXT = 4
"""Lines around a change."""


@dataclass(frozen=True, slots=True)
class Step:
    """A program of a lineage and how it differs from the one that it was made from."""

    program: str
    parent: str | None
    operator: str
    score: float | None
    gain: float | None
    """Score over the parent's, where both have one."""
    added: int
    removed: int
    """Lines."""


def source_of(state: RunState, program: str) -> str:
    """All files, the main one alone without a heading."""
    files = state.program(program).files
    if set(files) == {MAIN}:
        return files[MAIN]
    return "\n".join(f"# {name}\n{text}" for name, text in files.items())


def operator_of(operator: str, detail: str) -> str:
    return f"{operator} {detail}".strip()


def step(state: RunState, program: str) -> Step:
    """Raises: KeyError for an unknown program."""
    proposed = state.proposals[program]
    parent = proposed.parents[0] if proposed.parents and proposed.parents[0] in state.proposals else None
    added, removed = (0, 0) if parent is None else changed(source_of(state, parent), source_of(state, program))
    score, before = _score(state, program), None if parent is None else _score(state, parent)
    gain = None if score is None or before is None else score - before
    operator = operator_of(proposed.operator, proposed.detail)
    return Step(program, parent, operator, score, gain, added, removed)


def _score(state: RunState, program: str) -> float | None:
    evaluation = state.evaluation_or_none(program)
    return None if evaluation is None else evaluation.score


def changed(before: str, after: str) -> tuple[int, int]:
    """How many lines were added and removed."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)


def diff(before: str, after: str, names: tuple[str, str]) -> str:
    """A unified diff; empty where nothing differs."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), *names, n=CONTEXT, lineterm="")
    return "\n".join(lines)


def diff_to_parent(state: RunState, program: str) -> str | None:
    """None for a program without a parent."""
    parent = step(state, program).parent
    return None if parent is None else _between(state, parent, program, "parent")


def diff_to_baseline(state: RunState, program: str) -> str:
    """Raises: JournalError before there is a baseline."""
    return _between(state, state.baseline, program, "baseline")


def diff_to_reference(state: RunState, program: str) -> str:
    """Raises: TaskError where the task's files are gone or have changed since the run began; JournalError."""
    started = state.started
    if started is None:
        raise JournalError("the run has not begun")
    if state.calibration is not None and state.calibration.one:
        raise JournalError(f"the task has no reference: 1 means {state.calibration.one}")
    place = task_place(started.task, started.task_path, started.task_digest)
    try:
        reference = (Path(place) / "reference.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{place}/reference.py cannot be read: {error}") from None
    return diff(reference, source_of(state, program), ("reference (paper)", program[:SHORT]))


def _between(state: RunState, before: str, after: str, name: str) -> str:
    names = (f"{name} {before[:SHORT]}", after[:SHORT])
    return diff(source_of(state, before), source_of(state, after), names)


def ranked_children(state: RunState, program: str) -> list[str]:
    """Programs made from this one, the best first, then those without a score."""
    own = [child for child in state.children(program) if state.proposals[child].parents[0] == program]
    scores = {child: _score(state, child) for child in own}
    return sorted(own, key=lambda child: (scores[child] is None, -(scores[child] or 0.0)))


def as_csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return out.getvalue()
