"""The command line: every command prints a table for people or, with --json, one JSON document for scripts."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of ``speciate``. Status 0: done; 1: what was asked for does not hold; 2: wrong usage or input."""
    from .app import app
    from .output import users_error

    try:
        status = app(standalone_mode=False)
    except Exception as error:
        message = users_error(error)
        if message is None:
            raise
        sys.stderr.write(f"speciate: {message}\n")
        status = 2
    sys.exit(status)
