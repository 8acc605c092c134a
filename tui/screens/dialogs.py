"""Small windows over a screen: a choice, a file name, help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from ..widgets.listing import fitted


class Choice(ModalScreen[str | None]):
    """Choose one of several; None when it is left with escape."""

    DEFAULT_CSS = """
    Choice {
        align: center middle;
        & > Vertical {
            width: 44; height: auto; max-height: 80%;
            border: round $primary; background: $surface; padding: 0 1;
            border-title-color: $text-primary; border-subtitle-color: $foreground 60%;
        }
        OptionList, OptionList:focus { border: none; background: $surface; height: auto; max-height: 16; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close")]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], chosen: str | None) -> None:
        """``options`` are (what is returned, what is shown)."""
        super().__init__()
        self._heading = title
        self._options = options
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._heading
            box.border_subtitle = "enter chooses, esc closes"
            yield OptionList(*(Option(Content(text), id=f"o{i}") for i, (_, text) in enumerate(self._options)))

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        names = [name for name, _ in self._options]
        options.highlighted = names.index(self._chosen) if self._chosen in names else 0
        options.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._options[event.option_index][0])


class SaveAs(ModalScreen[Path | None]):
    """Ask for a file's name. A file that exists is not written over."""

    DEFAULT_CSS = """
    SaveAs {
        align: center middle;
        & > Vertical {
            width: 70; max-width: 95%; height: auto;
            border: round $primary; background: $surface; padding: 0 1;
            border-title-color: $text-primary; border-subtitle-color: $foreground 60%;
        }
        Input { border: none; height: 1; padding: 0; background: $boost; margin: 1 0; }
        #problem { color: $text-error; height: auto; display: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close")]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._file_name = name

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "export to"
            box.border_subtitle = "enter writes, esc closes"
            yield Input(self._file_name, select_on_focus=False)
            yield Static(id="problem", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        path = Path(event.value.strip()).expanduser()
        problem = _problem(path)
        if problem is None:
            self.dismiss(path)
            return
        said = self.query_one("#problem", Static)
        said.display = True
        said.update(problem)


def _problem(path: Path) -> str | None:
    if not path.name:
        return "give a file's name"
    if path.exists():
        return f"{path} exists already: give another name"
    return None if path.parent.is_dir() else f"there is no folder {path.parent}"


class Help(ModalScreen[None]):
    """What a pane shows, and the keys that work in it."""

    DEFAULT_CSS = """
    Help {
        align: center middle;
        & > VerticalScroll {
            width: 74; max-width: 95%; height: auto; max-height: 90%;
            border: round $primary; background: $surface; padding: 1 2;
            border-title-color: $text-primary; border-subtitle-color: $foreground 60%;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q", "dismiss(None)", "Close")]

    def __init__(self, title: str, text: str, keys: Iterable[tuple[str, str]]) -> None:
        """``keys`` are (key, what it does)."""
        super().__init__()
        self._heading = title
        self._text = " ".join(text.split())
        self._keys = list(keys)

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title = self._heading
            box.border_subtitle = "esc closes"
            yield Static(Content(self._text + "\n") if self._text else "")
            lines = [
                Content.assemble((fitted(key, 12, right=True) + "  ", "$text-accent bold"), does)
                for key, does in self._keys
            ]
            yield Static(Content("\n").join(lines))


MOVES = (
    ("↑ ↓", "move; also j and k"),
    ("enter", "open"),
    ("tab", "to the next part of the screen"),
    ("^p", "all commands by name"),
)
"""Keys of the widgets themselves."""


def keys_of(screen: Screen[Any]) -> list[tuple[str, str]]:
    """The keys that work now, each action once."""
    found: dict[str, tuple[list[str], str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.tooltip:
            keys, _ = found.setdefault(binding.action, ([], binding.tooltip))
            keys.append(screen.app.get_key_display(binding))
    shown = [(" ".join(dict.fromkeys(keys)), does) for keys, does in found.values()]
    known = {key for key, _ in shown}
    return [*shown, *(move for move in MOVES if move[0] not in known)]
