"""The islands' maps of elites."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ...archive import RunState
from ..model.book import Book
from ..model.maps import HeatMap, axes_of, edges, heat_map
from ..model.programs import as_csv, operator_of, source_of, step
from ..model.words import SHORT, clean, gained, number, score, span
from ..widgets.cells import Cells
from ..widgets.paper import numbered
from .messages import OpenProgram
from .pane import Pane


class ArchivePane(Pane):
    """The heat map of an island, or of all, and beside it the elite under the cursor."""

    ABILITIES = frozenset({"copy", "export"})
    HEADING = "archive"
    HELP = """The map of an island's elites: each cell holds the best program with such descriptors. The warmer the
    better; numbers are scores, 0 the baseline, 1 the reference. The arrow keys move between cells, enter opens the
    elite. Archives with more than two descriptors are seen along the others: x and y choose the axes."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "island(-1)", "Island", key_display="[", tooltip="the island before"),
        Binding("right_square_bracket", "island(1)", "Island", key_display="]", tooltip="the next island"),
        Binding("a", "all", "All", tooltip="all islands in one map, or one of them"),
        Binding("x", "axis(0)", "Axes", tooltip="another horizontal axis", show=False),
        Binding("y", "axis(1)", "Axes", tooltip="another vertical axis", show=False),
    ]
    DEFAULT_CSS = """
    ArchivePane {
        #where { height: 1; padding: 0 1; color: $foreground 60%; }
        #both { layout: horizontal; height: 1fr; }
        Cells { width: 3fr; margin: 1 0 0 1; }
        #elite { width: 2fr; padding: 0 1; border-left: vkey $foreground 15%; scrollbar-size-vertical: 1; }
        #elite Static { height: auto; }
    }
    """

    def __init__(self, book: Book, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._book = book
        self._island = 0
        self._all = False
        self._axes = [0, 1]

    def compose(self) -> ComposeResult:
        yield Static(id="where")
        with Container(id="both"):
            yield Cells(id="cells")
            with VerticalScroll(id="elite", can_focus=False):
                yield Static(id="about")
                yield Static(id="source")

    @property
    def _cells(self) -> Cells:
        return self.query_one(Cells)

    def arrive(self) -> None:
        self._cells.focus()

    def update_view(self) -> None:
        state = self._book.reader.state
        if state.started is not None:
            self._draw(state)

    def _draw(self, state: RunState, program: str | None = None) -> None:
        self._island = min(self._island, len(state.archipelago.islands) - 1)
        shown = heat_map(state, self._shown(state), *self._axes)
        self._cells.show(shown, program)
        self.query_one("#where", Static).update(self._where(state, shown))

    def _shown(self, state: RunState) -> list[int]:
        """All islands that have the axes of the chosen one, or only that."""
        if not self._all:
            return [self._island]
        islands = range(len(state.archipelago.islands))
        return [island for island in islands if axes_of(state, island) == axes_of(state, self._island)]

    def _where(self, state: RunState, shown: HeatMap) -> Content:
        islands = state.archipelago.islands
        name = f"all {len(self._shown(state))} islands" if self._all else f"island {self._island} of {len(islands)}"
        parts = [f"{shown.y.name or 'one row'} ↑  {shown.x.name or 'one column'} →"]
        if not self._all:
            stats = islands[self._island].stats()
            parts.append(f"{stats.elites} of {islands[self._island].space.cells} cells, QD score {stats.qd_score:.2f}")
        if shown.hidden:
            parts.append(f"{shown.hidden} elites behind")
        return Content.assemble((name, "bold $text"), " · " + " · ".join(parts))

    def action_island(self, by: int) -> None:
        state = self._book.reader.state
        if state.started is not None:
            self._all = False
            self._island = (self._island + by) % len(state.archipelago.islands)
            self._draw(state)

    def action_all(self) -> None:
        self._all = not self._all
        self.update_view()

    def action_axis(self, which: int) -> None:
        state = self._book.reader.state
        if state.started is not None:
            count = len(axes_of(state, self._island))
            self._axes[which] = (self._axes[which] + 1) % max(count, 1)
            self._draw(state, self._cells.program)

    def on_cells_highlighted(self, event: Cells.Highlighted) -> None:
        about, source = self.query_one("#about", Static), self.query_one("#source", Static)
        if event.program is None:
            about.update(self._empty())
            source.update("")
            return
        about.update(self._about(event.program))
        source.update(numbered(clean(source_of(self._book.reader.state, event.program)), "python", numbers=False))
        self.query_one("#elite").scroll_home(animate=False)

    def on_cells_selected(self, event: Cells.Selected) -> None:
        self.post_message(OpenProgram(event.program))

    def _empty(self) -> Content:
        shown, spot = self._cells.map, self._cells.spot
        if shown is None or spot is None:
            return Content("")
        lines = [Content.styled("no elite in this cell", "$foreground 60%")]
        for axis, bin_ in ((shown.x, spot[0]), (shown.y, spot[1])):
            if axis.name:
                low, high = edges(axis, bin_)
                lines.append(Content.styled(f"{axis.name} {low:.3g} to {high:.3g}", "$foreground 60%"))
        return Content("\n").join(lines)

    def _about(self, program: str) -> Content:
        state = self._book.reader.state
        evaluation, proposed = state.evaluation_of(program), state.proposals[program]
        made = step(state, program)
        lines = [
            Content.assemble(
                (program[:SHORT], "bold $text-accent"), f"  {clean(operator_of(proposed.operator, proposed.detail))}"
            ),
            Content.assemble((score(evaluation.score), "bold"), f" {span(evaluation.interval)}"),
        ]
        if made.parent is not None:
            lines.append(
                Content.assemble(
                    (
                        f"{gained(made.gain)} over {made.parent[:SHORT]}, lines +{made.added} -{made.removed}",
                        "$foreground 60%",
                    )
                )
            )
        lines += [
            Content.styled(f"{name} {number(value)}", "$foreground 60%")
            for name, value in evaluation.descriptors.items()
        ]
        return Content("\n").join([*lines, Content("")])

    def copied(self) -> tuple[str, str] | None:
        program = self._cells.program
        return (
            None
            if program is None
            else (f"the source of {program[:SHORT]}", source_of(self._book.reader.state, program))
        )

    def exported(self) -> tuple[str, str] | None:
        """All elites of all islands, as CSV."""
        state = self._book.reader.state
        if state.started is None:
            return None
        names = [axis.name for axis in state.started.archive.descriptors]
        rows = []
        for number_, island in enumerate(state.archipelago.islands):
            for cell, elite in island.elites_by_cell.items():
                descriptors = state.evaluation_of(elite.program).descriptors
                rows.append(
                    (
                        number_,
                        " ".join(map(str, cell)),
                        elite.program,
                        elite.score,
                        *(descriptors.get(n) for n in names),
                    )
                )
        return "elites.csv", as_csv(("island", "cell", "program", "score", *names), rows)
