"""What panes ask of their screen, and screens of the browser."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from ..model.reader import RunReader


@dataclass
class OpenProgram(Message):
    """Show this program, in the pane for one program or in that of its lineage."""

    program: str
    pane: str = "program"


@dataclass
class OpenRun(Message):
    """Show this run."""

    reader: RunReader
