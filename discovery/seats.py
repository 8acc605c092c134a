"""Which of a run's conductors a process goes on as."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from ..archive import Journal, JournalError


def resumable(directory: Path) -> tuple[Journal, int]:
    """The journal, open as one of the run's conductors that is not at work: first of those that did not end.

    Raises: JournalError where all are at work, or there is no run.
    """
    refused: JournalError | None = None
    for number in _conductors(directory):
        try:
            return Journal.open(directory, conductor=number), number
        except JournalError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _conductors(directory: Path) -> list[int]:
    ended = {0: False}
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        for row in journal.rows():
            if row.kind in ("joined", "stopped", "resumed"):
                ended[json.loads(row.payload).get("conductor", 0)] = row.kind == "stopped"
    return sorted(ended, key=lambda number: (ended[number], number))
