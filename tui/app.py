"""The browser of runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from ..archive import JournalError, is_run
from .model.reader import RunReader
from .model.status import folders
from .screens.messages import OpenRun
from .screens.run import RunScreen
from .screens.runs import RunsScreen


class Browser(App[None]):
    """Opens on the runs in ``directory``, or on the run that it is."""

    TITLE = "speciate"
    CSS = """
    * { scrollbar-size: 1 1; scrollbar-background: $surface; scrollbar-color: $foreground 25%; }
    Tab.-active:nocolor { text-style: reverse; }
    Tree:nocolor > .tree--cursor { text-style: reverse; }
    OptionList:nocolor > .option-list--option-highlighted { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", tooltip="leave the browser", show=False, priority=True),
    ]

    def __init__(self, directory: Path, reader: RunReader | None = None) -> None:
        """``reader`` is that of ``directory`` where it is a run."""
        # Textual turns colours into greys where NO_COLOR is set; with the terminal's own colours it sends none at all.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        self._directory = directory
        self._reader = reader

    def on_mount(self) -> None:
        self.push_screen(RunsScreen(self._directory) if self._reader is None else RunScreen(self._reader))

    def on_open_run(self, event: OpenRun) -> None:
        self.push_screen(RunScreen(event.reader))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action that has a key is a command too."""
        seen: set[str] = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if not binding.tooltip or not active.enabled or active.node is self or binding.action in seen:
                continue
            seen.add(binding.action)
            key = self.get_key_display(binding)
            name = f"{binding.description} ({key})"
            yield SystemCommand(name, binding.tooltip, partial(self.run_action, binding.action, active.node))
        yield from super().get_system_commands(screen)


def open_browser(directory: Path) -> Browser:
    """A browser that can be run.

    Raises: JournalError where there is no run or it cannot be read; OSError for what is no folder.
    """
    if is_run(directory):
        return Browser(directory, RunReader(directory))
    if not folders(directory):
        raise JournalError(f"{directory} holds no run, nor do the folders in it: begin one with 'speciate run TASK'")
    return Browser(directory)
