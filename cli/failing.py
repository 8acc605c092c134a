"""What went wrong in a run, for ``speciate show``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from .output import emit_json, note, table


def show_failures(directory: Path, json: bool) -> None:
    """Raises: JournalError where there is no run."""
    from ..archive.history import read_events

    rows = read_events(directory).failures.rows()
    if json:
        emit_json([asdict(one) for one in rows])
    elif rows:
        table(
            ("where", "what", "times", "the latest", "program"),
            [(one.stage, one.kind, one.count, one.example, one.program[:12]) for one in rows],
            title="what went wrong",
        )
    else:
        note("nothing went wrong")
