"""The runs in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from ...archive import JournalError
from ..model.reader import RunReader
from ..model.status import Glance, Summary, folders, fresh_glance, summaries
from ..model.words import clean, day, score
from ..widgets.listing import Cell, Column, Listing, Tone
from .desk import Desk
from .messages import OpenRun
from .pane import ListPane

POLL = 2.0
"""Seconds between looks at the folder."""

SORTED: dict[str, Callable[[Glance, Summary | None], Any]] = {
    "task": lambda run, summary: (run.task, -(run.last or 0.0)),
    "best score": lambda run, summary: -_score(summary),
    "name": lambda run, summary: run.directory.name,
    "status": lambda run, summary: (run.status != "running", run.status),
}


def _score(summary: Summary | None) -> float:
    return float("-inf") if summary is None or summary.score is None else summary.score


class RunsPane(ListPane[Path]):
    """A table of runs, the newest first."""

    HEADING = "runs"
    HELP = """The runs in this folder, the one that was written last first. Enter opens one; a run at work is followed.
    Scores: 0 is the baseline, 1 the reference (the paper's method)."""
    COLUMNS = (
        Column("run", 22, stretch=True),
        Column("task", 20, room=90),
        Column("best", 8, right=True),
        Column("certified", 9),
        Column("evaluations", 13, right=True),
        Column("status", 19),
        Column("last event", 16, room=110),
    )
    THING = "run"
    SORTS: ClassVar[Sequence[str]] = ("last event", *SORTED)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glances: dict[Path, Glance] = {}
        self.summaries: dict[Path, Summary] = {}

    def everything(self) -> Sequence[Path]:
        return sorted(self.glances, key=lambda path: -(self.glances[path].last or 0.0))

    def cells(self, key: Path) -> Sequence[Cell]:
        run, summary = self.glances[key], self.summaries.get(key)
        if run.error is not None:
            return (Cell(clean(key.name)), Cell(""), Cell(""), Cell(""), Cell(""), Cell(run.status, "bad"), Cell(""))
        count = "…" if summary is None else f"{summary.evaluations:,}"
        limit = f"/{summary.limit:,}" if summary is not None and summary.limit else ""
        tone: Tone = "good" if run.status == "running" else "dim"
        return (
            Cell(clean(key.name)),
            Cell(clean(run.task), "dim"),
            Cell("…" if summary is None else score(summary.score), "strong"),
            Cell("yes" if summary is not None and summary.certified else "", "good"),
            Cell(count + limit, "dim"),
            Cell(("● " if run.status == "running" else "") + run.status, tone),
            Cell("" if run.last is None else day(run.last), "dim"),
        )

    def filters(self) -> Sequence[tuple[str, str]]:
        tasks = sorted({run.task for run in self.glances.values() if run.task})
        return [("running", "those at work"), ("certified", "those with a certified program"), *((t, t) for t in tasks)]

    def passing(self, keys: Sequence[Path]) -> Sequence[Path]:
        def passes(key: Path) -> bool:
            summary = self.summaries.get(key)
            match self.filter:
                case "running":
                    return self.glances[key].status == "running"
                case "certified":
                    return summary is not None and summary.certified
                case task:
                    return self.glances[key].task == task

        return [key for key in keys if passes(key)]

    def ordered(self, keys: Iterable[Path]) -> Sequence[Path]:
        value = SORTED[self.order]
        return sorted(keys, key=lambda key: value(self.glances[key], self.summaries.get(key)))

    def copied(self) -> tuple[str, str] | None:
        key = self.listing.key
        return None if key is None else ("the run's folder", str(key))


class RunsScreen(Desk):
    """Opens on the runs below ``directory``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", tooltip="end the search", show=False),
    ]
    DEFAULT_CSS = """
    RunsScreen #nothing { padding: 1 2; color: $foreground 60%; height: auto; display: none; }
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory

    def compose_panes(self) -> ComposeResult:
        yield Static(id="nothing", markup=False)
        yield RunsPane(id="runs")

    @property
    def pane(self) -> RunsPane:
        return self.query_one(RunsPane)

    def on_mount(self) -> None:
        self.query_one("#bar", Static).update(
            Content.assemble(("speciate", "bold"), (f"  runs in {clean(str(self._directory))}", "$foreground 60%"))
        )
        self.look()
        self.pane.arrive()
        self.set_interval(POLL, self.look)

    def look(self) -> None:
        """See which runs there are, unless a run is in front or the last look is not over."""
        busy = any(worker.group == "look" and worker.is_running for worker in self.workers)
        if self.app.screen is self and not busy:
            self._look(dict(self.pane.glances))

    @work(thread=True, group="look")
    def _look(self, before: Mapping[Path, Glance]) -> None:
        """Reads whole journals of runs that were written since, so it has a thread and readers of its own."""
        worker = get_current_worker()
        try:
            found = {path: fresh_glance(path, before.get(path)) for path in folders(self._directory)}
        except OSError as error:
            self.app.call_from_thread(self.notify, f"{self._directory}: {error.strerror}", severity="error")
            return
        if worker.is_cancelled:
            return
        self.app.call_from_thread(self._seen, found)
        changed = [path for path in found if path not in before or before[path].events != found[path].events]
        for directory, summary in summaries(sorted(changed, key=lambda path: -(found[path].last or 0.0))):
            if worker.is_cancelled:
                return
            if summary is not None:
                self.app.call_from_thread(self._summarised, directory, summary)

    def _seen(self, found: dict[Path, Glance]) -> None:
        if found != self.pane.glances:
            self.pane.glances = found
            self.pane.update_view()
        nothing = self.query_one("#nothing", Static)
        nothing.update(f"No runs in {self._directory}. Begin one with: speciate run TASK")
        nothing.display = not found

    def _summarised(self, directory: Path, found: Summary) -> None:
        self.pane.summaries[directory] = found
        self.pane.update_view()

    def on_listing_selected(self, event: Listing.Selected) -> None:
        if isinstance(event.key, Path):
            self.open_run(event.key)

    def open_run(self, directory: Path) -> None:
        try:
            reader = RunReader(directory)
        except JournalError as error:
            self.notify(str(error), severity="error", timeout=15, markup=False)
        else:
            self.post_message(OpenRun(reader))

    def action_back(self) -> None:
        self.leave_search()
