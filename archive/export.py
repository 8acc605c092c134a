"""Export: the certified programs of runs as an installable library."""

from __future__ import annotations


class ExportError(Exception):
    """What keeps a run from being exported; one line that says what to do."""
