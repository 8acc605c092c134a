"""One run: a pane for each view, kept up to date while the run goes on."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static, TabbedContent, TabPane, Tabs

from ...archive import JournalError
from ..model.book import Book
from ..model.facts import left
from ..model.reader import RunReader, uncollected
from ..model.status import status_of
from ..model.words import clean, duration, score
from ..widgets.listing import Listing
from .archive import ArchivePane
from .desk import Desk
from .events import EventsPane, ProposalsPane
from .lineage import LineagePane
from .messages import OpenProgram
from .overview import OverviewPane
from .pane import Pane
from .program import ProgramPane
from .programs import ProgramsPane
from .runs import RunsScreen

POLL = 0.5
"""Seconds between looks at the journal of a run."""

SHOW_EVERY = 10
"""Steps of reading after which what was read so far is shown."""

PANES = ("overview", "programs", "archive", "program", "lineage", "events", "proposals")


class RunScreen(Desk):
    """Follows the run that ``reader`` reads; it closes the reader when it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number_), f"show('{name}')", name.capitalize(), show=False, tooltip=f"the view {name}")
            for number_, name in enumerate(PANES, 1)
        ),
        Binding("b", "best", "Best", tooltip="the best program"),
        Binding("escape", "back", "Back", tooltip="end the search, or back to the runs", show=False),
    ]
    DEFAULT_CSS = """
    RunScreen {
        TabbedContent { height: 1fr; }
        TabPane { padding: 0; height: 1fr; }
        ContentSwitcher { height: 1fr; }
        Tabs { background: $panel; }
        &.-wide {
            OverviewPane #figures { grid-size: 3; grid-columns: 46 3fr 5fr; }
            OverviewPane #arms { column-span: 1; }
            LineagePane #split, JournalPane #split { layout: horizontal; }
            LineagePane LineageTree, JournalPane Listing { width: 3fr; height: 1fr; }
            LineagePane #step, JournalPane Paper {
                width: 2fr; height: 1fr; border-top: none; border-left: vkey $foreground 15%;
            }
        }
    }
    """

    def __init__(self, reader: RunReader) -> None:
        super().__init__()
        self.book = Book(reader)
        self.loaded = False
        """Whether all that the journal held at first was read."""

    def compose_panes(self) -> ComposeResult:
        made: dict[str, Pane] = {
            "overview": OverviewPane(self.book, id="overview-pane"),
            "programs": ProgramsPane(self.book, id="programs-pane"),
            "archive": ArchivePane(self.book, id="archive-pane"),
            "program": ProgramPane(self.book, id="program-pane"),
            "lineage": LineagePane(self.book, id="lineage-pane"),
            "events": EventsPane(self.book, id="events-pane"),
            "proposals": ProposalsPane(self.book, id="proposals-pane"),
        }
        with TabbedContent():
            for number_, name in enumerate(PANES, 1):
                with TabPane(f"{number_} {name}", id=name):
                    yield made[name]

    def on_mount(self) -> None:
        self.query_one(Tabs).can_focus = False
        self.pane.arrive()
        self.run_worker(self._follow(), exclusive=True)

    def on_unmount(self) -> None:
        self.book.reader.close()

    @property
    def pane(self) -> Pane:
        name = self.query_one(TabbedContent).active or PANES[0]
        return self.query_one(f"#{name}-pane", Pane)

    async def _follow(self) -> None:
        """Read the journal in small steps, for what is on the screen must not wait; then look for more again and again.

        All is read on this one thread, so that no view sees a state that is half changed.
        """
        try:
            await self._load()
            while await self._waited():
                count = 0
                while step := self.book.reader.step():
                    count += step
                    await asyncio.sleep(0)
                self._say()
                if count:
                    self.pane.update_view()
        except JournalError as error:
            self.notify(str(error), severity="error", timeout=30, markup=False)

    async def _waited(self) -> bool:
        """Until the next look; whether there is still a screen to look from."""
        await asyncio.sleep(POLL)
        return self.is_running and bool(self.query("#bar"))

    async def _load(self) -> None:
        with uncollected():
            steps = 0
            while self.is_running and self.book.reader.step():
                if steps % SHOW_EVERY == 0:
                    self._say()
                    self.pane.update_view()
                steps += 1
                await asyncio.sleep(0)
        self.loaded = True
        self._say()
        self.pane.update_view()
        self.pane.arrive()

    def _say(self) -> None:
        """The line above everything: which run, how it stands."""
        reader = self.book.reader
        state = reader.state
        task = clean(state.started.task) if state.started else "…"
        if not self.loaded:
            standing = Content.styled(f"reading, {len(reader.log):,} events", "$foreground 60%")
        else:
            standing = self._standing()
        name = Content.assemble(
            (clean(reader.directory.name or str(reader.directory)), "bold"), (f"  {task}", "$foreground 60%")
        )
        width = self.size.width - 2
        gap = max(2, width - name.cell_length - standing.cell_length)
        self.query_one("#bar", Static).update(Content.assemble(name, " " * gap, standing))

    def _standing(self) -> Content:
        reader = self.book.reader
        best = reader.state.best
        status = status_of(reader.state, reader.directory)
        best_score = "" if best is None else f"best {score(best[1].score)}  "
        tone = "$text-success" if status == "running" else "$foreground 60%"
        remaining = left(reader) if status == "running" else None
        rest = "" if remaining is None else f", {duration(remaining)} left"
        count = f"{reader.state.evaluations:,} evaluations  "
        return Content.assemble(
            (best_score, "bold"),
            (count, "$foreground 60%"),
            ("● " if status == "running" else "", tone),
            (status + rest, tone),
        )

    def on_tabbed_content_tab_activated(self) -> None:
        self.query_one("#search").remove_class("-open")
        self.pane.update_view()
        self.pane.arrive()
        self.refresh_bindings()

    def action_show(self, name: str) -> None:
        self.query_one(TabbedContent).active = name

    def action_best(self) -> None:
        best = self.book.reader.state.best
        if best is None:
            self.notify("no valid program yet")
        else:
            self.open_program(best[0], "program")

    def action_back(self) -> None:
        if self.leave_search():
            return
        if isinstance(self.app.screen_stack[-2], RunsScreen):
            self.app.pop_screen()
        else:
            self.app.switch_screen(RunsScreen(self.book.reader.directory.resolve().parent))

    def on_open_program(self, event: OpenProgram) -> None:
        self.open_program(event.program, event.pane)

    def on_listing_selected(self, event: Listing.Selected) -> None:
        if isinstance(event.key, str) and event.key in self.book.reader.entries:
            self.open_program(event.key, "program")

    def open_program(self, program: str, pane: str) -> None:
        self.book.program = program
        if self.query_one(TabbedContent).active == pane:
            self.pane.update_view()
        else:
            self.action_show(pane)
