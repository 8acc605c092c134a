"""``speciate tui``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def tui(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="A run's folder, or one with runs in it; runs by default.")
    ] = Path("runs"),
) -> None:
    """Browse runs in the terminal, finished or at work: scores, archive, programs, lineage, events."""
    from ..tui.app import open_browser

    browser = open_browser(directory)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter(f"it needs a terminal; 'speciate show {directory}' prints what a run has found")
    browser.run()
