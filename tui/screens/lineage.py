"""The tree of programs: what each step changed and gained."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static, Tree
from textual.widgets.tree import TreeNode

from ...archive import RunState
from ..model.book import Book
from ..model.programs import as_csv, diff_to_parent, ranked_children, step
from ..model.words import SHORT, clean, gained, plural, score
from ..widgets.paper import Paper, diffed
from .messages import OpenProgram
from .pane import Pane

MOST = 200
"""Children of one program that are shown, the best ones; the others are counted."""


class LineageTree(Tree[str]):
    """Nodes hold program ids; children are added when a node is opened."""

    DEFAULT_CSS = """
    LineageTree { width: 1fr; height: 1fr; overflow-x: hidden; background: $surface; padding: 0 1; }
    """


class LineagePane(Pane):
    """The tree from the baseline, open along the way to the chosen program; below it what the step changed."""

    ABILITIES = frozenset({"copy", "export"})
    HEADING = "lineage"
    HELP = """Every program hangs from the one that it was made from, the best first; the way to the chosen program is
    open. Beside each: its score, what the step gained over its parent, lines added and removed, the operator. Space
    opens and closes a branch, enter opens the program."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "best", "Best", tooltip="the way to the best program"),
        Binding("u", "parent", "Parent", tooltip="up to the parent", show=False),
        Binding("o", "only", "Only the way", tooltip="only the way to the chosen program, or all branches"),
    ]
    DEFAULT_CSS = """
    LineagePane {
        #way { height: 1; padding: 0 1; color: $foreground 60%; }
        #split { height: 1fr; layout: vertical; }
        #step { height: 9; border-top: hkey $foreground 15%; }
    }
    """

    def __init__(self, book: Book, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._book = book
        self._only = False
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(id="way", markup=False)
        with Container(id="split"):
            tree = LineageTree("", id="tree")
            tree.auto_expand = False
            tree.guide_depth = 2
            yield tree
            yield Paper(id="step")

    @property
    def _tree(self) -> LineageTree:
        return self.query_one(LineageTree)

    @property
    def _state(self) -> RunState:
        return self._book.reader.state

    def arrive(self) -> None:
        self._tree.focus()

    def update_view(self) -> None:
        """The tree is built again only for another program; where a run goes on, branches grow when they are opened."""
        state = self._state
        if not state.proposals:
            return
        chosen = self._book.program or (state.best[0] if state.best else state.baseline)
        if (chosen, self._only) == self._shown:
            return
        self._shown = (chosen, self._only)
        self._build(state.lineage(chosen)[::-1])

    def _build(self, way: list[str]) -> None:
        tree = self._tree
        tree.clear()
        tree.root.data = way[0]
        tree.root.set_label(self._label(way[0]))
        node = tree.root
        for program, following in zip(way, [*way[1:], None], strict=True):
            self._fill(node, program, following)
            if following is None:
                break
            node.expand()
            node = next(child for child in node.children if child.data == following)
        first, last = way[0][:SHORT], way[-1][:SHORT]
        steps = f"{plural(len(way) - 1, 'step')} from {first} to {last}" if len(way) > 1 else f"the beginning, {first}"
        total = step_gain(self._state, way)
        self.query_one("#way", Static).update(f"{steps}{total}")
        self.call_after_refresh(self._go, node)

    def _go(self, node: TreeNode[str]) -> None:
        self._tree.move_cursor(node)
        self._tree.scroll_to_node(node, animate=False)

    def _fill(self, node: TreeNode[str], program: str, following: str | None) -> None:
        """Add the children, the best first; ``following`` is among them in any case."""
        children = [following] if self._only and following else ranked_children(self._state, program)
        if self._only and following is None:
            children = []
        shown = children[:MOST]
        if following is not None and following not in shown:
            shown.append(following)
        node.remove_children()
        for child in shown:
            node.add(self._label(child), child, allow_expand=bool(self._state.children(child)))
        if len(children) > len(shown):
            node.add_leaf(Text(f"and {len(children) - len(shown)} more", "dim"), None)

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[str]) -> None:
        if event.node.data is not None and not event.node.children:
            self._fill(event.node, event.node.data, None)

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[str]) -> None:
        if event.node.data is None:
            return
        text = diff_to_parent(self._state, event.node.data)
        said = "the run began with it" if text is None else "nothing but layout differs"
        content = diffed(clean(text)) if text else Content.styled(said, "$foreground 60%")
        self.query_one("#step", Paper).show(content)

    def on_tree_node_selected(self, event: Tree.NodeSelected[str]) -> None:
        if event.node.data is not None:
            self.post_message(OpenProgram(event.node.data))

    def _label(self, program: str) -> Text:
        made = step(self._state, program)
        colors = self.app.theme_variables
        gain = made.gain or 0.0
        tone = colors["text-success"] if gain > 0 else colors["text-error"] if gain < 0 else ""
        text = Text(no_wrap=True)
        text.append(f"{score(made.score):>7} ", Style(bold=True))
        if made.parent is not None:
            text.append(f"{gained(made.gain):>7} ", tone)
        text.append(program[:SHORT])
        if made.parent is not None:
            text.append(f"  +{made.added} -{made.removed}", "dim")
        text.append(f"  {clean(made.operator)}")
        return text

    @property
    def _program(self) -> str | None:
        node = self._tree.cursor_node
        return None if node is None else node.data

    def action_best(self) -> None:
        if self._state.best is not None:
            self.post_message(OpenProgram(self._state.best[0], "lineage"))

    def action_parent(self) -> None:
        node = self._tree.cursor_node
        if node is not None and node.parent is not None:
            self._tree.move_cursor(node.parent)

    def action_only(self) -> None:
        self._only = not self._only
        self.update_view()

    def copied(self) -> tuple[str, str] | None:
        program = self._program
        return None if program is None else (f"the id {program[:SHORT]}", program)

    def exported(self) -> tuple[str, str] | None:
        """The way to the program under the cursor, as CSV."""
        program = self._program
        if program is None:
            return None
        steps = [step(self._state, one) for one in self._state.lineage(program)[::-1]]
        header = ("program", "parent", "operator", "score", "gain", "lines added", "lines removed")
        rows = [(s.program, s.parent, s.operator, s.score, s.gain, s.added, s.removed) for s in steps]
        return f"lineage_{program[:SHORT]}.csv", as_csv(header, rows)


def step_gain(state: RunState, way: list[str]) -> str:
    """What all steps together gained, where both ends have a score."""
    scores = [state.evaluation_or_none(program) for program in (way[0], way[-1])]
    ends = [evaluation.score for evaluation in scores if evaluation is not None and evaluation.score is not None]
    return f" · {gained(ends[1] - ends[0])} in all" if len(ends) == 2 and len(way) > 1 else ""
