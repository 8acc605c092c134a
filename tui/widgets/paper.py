"""Text that is read: highlighted source, diffs, and plain paragraphs, with scrolling both ways."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.highlight import highlight
from textual.widgets import Static

DIFF = {"+": "$text-success", "-": "$text-error", "@": "$text-primary"}


class Paper(ScrollableContainer, can_focus=True):
    """One text; lines are as long as they are, or wrapped."""

    DEFAULT_CSS = """
    Paper {
        height: 1fr; padding: 0 1; background: $surface;
        Static { width: auto; height: auto; }
        &.-wrapped Static { width: 100%; }
    }
    """

    def compose(self) -> ComposeResult:
        yield Static()

    def show(self, content: Content, wrapped: bool = False) -> None:
        self.set_class(wrapped, "-wrapped")
        self.query_one(Static).update(content)
        self.scroll_home(animate=False)


def numbered(code: str, language: str, numbers: bool = True) -> Content:
    """Highlighted source; ``numbers`` puts those of the lines before them."""
    lines = highlight(code, language=language).split("\n", allow_blank=True)
    while len(lines) > 1 and not lines[-1].plain.strip():
        lines.pop()
    if not numbers:
        return Content("\n").join(lines)
    width = len(str(len(lines)))
    return Content("\n").join(
        Content.assemble((f"{number:>{width}}  ", "$foreground 40%"), line) for number, line in enumerate(lines, 1)
    )


def diffed(text: str) -> Content:
    """A unified diff in colours; the signs say the same without them."""
    lines = []
    for line in text.split("\n"):
        header = line.startswith(("+++", "---"))
        lines.append(Content.styled(line, "bold $foreground 60%" if header else DIFF.get(line[:1], "")))
    return Content("\n").join(lines)
