"""What goes wrong with a journal, in one line that says what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


class JournalError(Exception):
    """A journal that cannot be used; one line that says what to do."""


@contextlib.contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn what the database or the disk says into a JournalError."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise JournalError(_explanation(directory, " ".join(str(error.orig).split())[:300])) from error
    except OSError as error:
        raise JournalError(_explanation(directory, error.strerror or str(error))) from error


def _explanation(directory: Path, said: str) -> str:
    low = said.lower()
    if "not a database" in low or "malformed" in low:
        return f"the journal of {directory} is damaged ({said}): restore it from a copy"
    if "full" in low or "no space" in low or "disk i/o" in low:
        return (
            f"the disk of {directory} is full ({said}); nothing recorded so far was lost: "
            f"free some space, then go on with 'speciate resume {directory}'"
        )
    return f"cannot use the journal of {directory}: {said}"
