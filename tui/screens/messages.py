"""What panes ask of their screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class OpenProgram(Message):
    """Show this program, in the pane for one program or in that of its lineage."""

    program: str
    pane: str = "program"
