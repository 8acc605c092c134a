"""How a run is doing."""

from __future__ import annotations

import json
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from ..model.book import Book
from ..model.facts import Arm, Use, arms, budget, costs, states
from ..model.words import SHORT, clean, plural, score, span
from ..widgets.bars import bar, gauge
from ..widgets.chart import Chart, Curve, Guide, Knot
from ..widgets.listing import fitted
from .pane import Pane

LABEL = 12
"""Columns of what stands before a value."""

GUIDES = (Guide(0.0, "base 0"), Guide(1.0, "paper 1"))
MOST_ARMS = 8
LOW, FEW_ARMS = 30, 3
"""In a view with fewer lines than ``LOW`` that many proposers and mutations are shown."""
TONES = {"valid": "$text-success", "infra": "$text-warning", "quarantined": "$text-warning"}


class OverviewPane(Pane):
    """The curve of the best score above, figures below."""

    ABILITIES = frozenset({"copy", "export"})
    HEADING = "overview"
    HELP = """The best score so far with its 95 % interval (dotted), against the baseline at 0 and the reference (the
    paper's method) at 1. Below: what was found and what it cost, how evaluations ended, and what each proposer and
    mutation brought. Merit: successes per evaluation lately, which the bandit goes by."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "axis", "Axis", tooltip="evaluations or time along the curve"),
    ]
    DEFAULT_CSS = """
    OverviewPane {
        layout: vertical; overflow-y: auto; padding: 0 1;
        Chart { height: 1fr; min-height: 6; margin: 0 0 1 0; }
        #figures { layout: grid; grid-size: 2; grid-columns: 46 1fr; grid-rows: auto; grid-gutter: 0 2; height: auto; }
        #figures Static { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
        #arms { column-span: 2; }
    }
    """

    def __init__(self, book: Book, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._book = book
        self._by_time = False

    def compose(self) -> ComposeResult:
        yield Chart(id="curve")
        with Container(id="figures"):
            yield Static(id="facts")
            yield Static(id="states")
            yield Static(id="arms")

    def on_mount(self) -> None:
        self.can_focus = True

    def arrive(self) -> None:
        self.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self.update_view)

    def update_view(self) -> None:
        self.query_one(Chart).draw(self._curve())
        self.query_one("#facts", Static).update(self._facts())
        self.query_one("#states", Static).update(self._states())
        self.query_one("#arms", Static).update(self._arms())

    def action_axis(self) -> None:
        self._by_time = not self._by_time
        self.update_view()

    def _curve(self) -> Curve:
        reader = self._book.reader
        course = reader.course
        knots = [Knot(p.seconds if self._by_time else p.evaluations, p.score, p.low, p.high) for p in course.points]
        if self._by_time:
            return Curve(knots, max(course.seconds, 1e-3), GUIDES, "s")
        now = reader.state.evaluations
        limit = next((use.limit for use in budget(reader) if use.name == "evaluations"), None)
        return Curve(knots, max(now, limit or 0, 1), GUIDES, "evaluations", now)

    def _facts(self) -> Content:
        reader = self._book.reader
        state = reader.state
        lines: list[Content] = []
        if state.best is not None:
            program, evaluation = state.best
            lines.append(
                line("best", f"{score(evaluation.score)} {span(evaluation.interval)}  {program[:SHORT]}", "bold")
            )
        if state.certified_best is not None:
            program, _ = state.certified_best
            fresh = state.certificates[program]
            lines.append(line("certified", f"{score(fresh.score)} {span(fresh.interval)}  {program[:SHORT]}"))
            lines.append(line("gap", score(state.gap(program))))
        elif state.certificates:
            lines.append(
                line("certified", f"no, {plural(len(state.certificates), 'try')} failed".replace("trys", "tries"))
            )
        lines += [self._use(use) for use in budget(reader)]
        lines += [line(name, value) for name, value in costs(reader)]
        return Content("\n").join(lines)

    @staticmethod
    def _use(use: Use) -> Content:
        if use.share is None:
            return line(use.name, use.text)
        return Content.assemble(
            (use.name.ljust(LABEL), "$foreground 60%"), (gauge(use.share, 10), "$text-primary"), f" {use.text}"
        )

    def _states(self) -> Content:
        counted = states(self._book.reader.state)
        most = max((count for _, count in counted), default=1)
        width = max(6, self.query_one("#states").size.width - LABEL - 8)
        lines = [
            Content.assemble(
                (name.ljust(LABEL + 1), "$foreground 60%"),
                (bar(count / most, width), TONES.get(name, "$text-error")),
                f" {count:>6,}",
            )
            for name, count in counted
        ]
        return Content("\n").join(lines or [Content.styled("no evaluations yet", "$foreground 60%")])

    def _arms(self) -> Content:
        found = arms(self._book.reader)
        if not found:
            return Content("")
        width = max(16, self.query_one("#arms").size.width - 30)
        head = f"{fitted('proposals by', width)} {'made':>7} {'valid':>6} {'elite':>6} {'merit':>6}"
        most = FEW_ARMS if self.size.height < LOW else MOST_ARMS
        lines = [Content.styled(head, "$foreground 60%"), *(self._arm(one, width) for one in found[:most])]
        if len(found) > most:
            lines.append(Content.styled(f"and {len(found) - most} more", "$foreground 60%"))
        return Content("\n").join(lines)

    @staticmethod
    def _arm(arm: Arm, width: int) -> Content:
        name = clean(f"  {arm.part}" if arm.part else arm.proposer)
        figures = f" {arm.proposals:>7,} {_percent(arm.valid, arm.proposals)} {_percent(arm.elites, arm.proposals)}"
        merit = f" {arm.merit:>6.3f}" if arm.merit is not None else f" {'-':>6}"
        return Content.assemble((fitted(name, width), "" if arm.part else "bold"), figures, (merit, "$text-accent"))

    def copied(self) -> tuple[str, str] | None:
        best = self._book.reader.state.best
        return None if best is None else (f"the id of the best program {best[0][:SHORT]}", best[0])

    def exported(self) -> tuple[str, str] | None:
        """The figures as JSON, the curve among them."""
        reader = self._book.reader
        best = reader.state.best
        document = {
            "run": str(reader.directory),
            "task": reader.state.started and reader.state.started.task,
            "best": best and {"program": best[0], "evaluation": best[1].model_dump(mode="json")},
            "states": dict(states(reader.state)),
            "seconds": reader.course.seconds,
            "curve": [
                {"evaluations": p.evaluations, "score": p.score, "low": p.low, "high": p.high}
                for p in reader.course.points
            ],
        }
        return "overview.json", json.dumps(document, indent=2) + "\n"


def line(name: str, value: str, style: str = "") -> Content:
    return Content.assemble((name.ljust(LABEL), "$foreground 60%"), (value, style))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:>4.0f} %" if whole else f"{'-':>6}"
