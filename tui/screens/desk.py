"""A screen with panes, and the actions that all of them share."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from ..model.words import plural
from .dialogs import Choice, Help, SaveAs, keys_of
from .pane import EVERYTHING, ListPane, Pane

OF_PANES = frozenset({"search", "filter", "sort", "reverse", "copy", "export"})


class Desk(Screen[None]):
    """Its actions are those of the pane in front."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", tooltip="search in this view", key_display="/"),
        Binding("f", "filter", "Filter", tooltip="show some rows only"),
        Binding("s", "sort", "Sort", tooltip="sort by another column"),
        Binding("r", "reverse", "Reverse", tooltip="reverse the order", show=False),
        Binding("c", "copy", "Copy", tooltip="copy to the clipboard, over ssh too"),
        Binding("e", "export", "Export", tooltip="write what is shown into a file"),
        Binding("q", "app.quit", "Quit", tooltip="leave the browser", show=False),
        Binding("question_mark", "help", "Help", tooltip="this help", key_display="?"),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    DEFAULT_CSS = """
    Desk {
        #bar { height: 1; background: $panel; padding: 0 1; color: $foreground; }
        #search {
            display: none; height: 1; border: none; padding: 0 1; background: $boost;
            &.-open { display: block; }
        }
        Footer { background: $panel; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Static(id="bar")
        yield from self.compose_panes()
        yield Input(placeholder="search", id="search", select_on_focus=False)
        yield Footer(compact=True)

    def compose_panes(self) -> ComposeResult:
        raise NotImplementedError

    @property
    def pane(self) -> Pane:
        """The one in front."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in OF_PANES and self.is_mounted:
            return ("sort" if action == "reverse" else action) in self.pane.ABILITIES
        return True

    def action_search(self) -> None:
        box = self.query_one("#search", Input)
        if isinstance(self.pane, ListPane):
            box.value = self.pane.sought
        box.add_class("-open")
        box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "search" and isinstance(self.pane, ListPane) and event.value != self.pane.sought:
            self.pane.search(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "search":
            self.close_search()

    def close_search(self) -> None:
        self.query_one("#search", Input).remove_class("-open")
        self.pane.arrive()

    @property
    def searching(self) -> bool:
        return self.query_one("#search", Input).has_focus

    def leave_search(self) -> bool:
        """Forget the search text, where there is one. Returns whether there was anything to leave."""
        pane = self.pane
        if not self.searching and not (isinstance(pane, ListPane) and pane.sought):
            return False
        if isinstance(pane, ListPane):
            pane.search("")
        self.close_search()
        return True

    def action_filter(self) -> None:
        pane = self.pane
        if isinstance(pane, ListPane):
            options = [(EVERYTHING, "everything"), *pane.filters()]
            self.app.push_screen(Choice("show", options, pane.filter), self._filtered)

    def _filtered(self, name: str | None) -> None:
        if name is not None and isinstance(self.pane, ListPane):
            self.pane.choose_filter(name)

    def action_sort(self) -> None:
        pane = self.pane
        if isinstance(pane, ListPane):
            self.app.push_screen(Choice("sort by", [(name, name) for name in pane.SORTS], pane.order), self._sorted)

    def _sorted(self, name: str | None) -> None:
        if name is not None and isinstance(self.pane, ListPane):
            self.pane.sort(name)

    def action_reverse(self) -> None:
        if isinstance(self.pane, ListPane):
            self.pane.reverse()

    def action_copy(self) -> None:
        copied = self.pane.copied()
        if copied is None:
            self.notify("nothing to copy here", severity="warning")
            return
        what, text = copied
        self.app.copy_to_clipboard(text)
        self.notify(f"copied {what}", markup=False)

    def action_export(self) -> None:
        exported = self.pane.exported()
        if exported is None:
            self.notify("nothing to export here", severity="warning")
            return
        name, text = exported
        self.app.push_screen(SaveAs(name), lambda path: self._write(path, text))

    def _write(self, path: Path | None, text: str) -> None:
        if path is None:
            return
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            self.notify(f"{path}: {error.strerror}", severity="error", markup=False)
        else:
            self.notify(f"wrote {path}, {plural(text.count(chr(10)), 'line')}", markup=False)

    def action_help(self) -> None:
        self.app.push_screen(Help(self.pane.HEADING, self.pane.HELP or "", keys_of(self)))
