"""One program: source, diffs, evaluation, feedback, certificate, trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from ...archive import JournalError, RunState, certifies
from ...evaluators import Evaluation, State, TaskError
from ..model.book import Book
from ..model.programs import diff_to_baseline, diff_to_parent, diff_to_reference, operator_of, source_of, step
from ..model.scores import Line, certificate_lines, evaluation_lines
from ..model.traces import trace_lines
from ..model.words import SHORT, clean, gained, score, span
from ..widgets.paper import Paper, diffed, numbered
from .messages import OpenProgram
from .pane import Pane

VIEWS = ("source", "diff to parent", "to baseline", "to reference", "evaluation", "feedback", "certificate", "trace")
SHORT_VIEWS = ("source", "Δparent", "Δbase", "Δpaper", "eval", "feedback", "certificate", "trace")
NOTHING = "no program is chosen: choose one in programs (2), archive (3) or lineage (5), or press b for the best"
TONES = {"good": "$text-success", "bad": "$text-error", "dim": "$foreground 60%", "strong": "bold", "": ""}


class ProgramPane(Pane):
    """The program that was chosen last."""

    ABILITIES = frozenset({"copy", "export"})
    HEADING = "program"
    HELP = """One program. [ and ] go through its views: the source, what differs from its parent, from the run's
    baseline and from the reference (the paper's method), the evaluation per instance, the feedback that proposers saw,
    the certificate on fresh secret instances, and what its lines did, where the run recorded it."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "view(-1)", "View", key_display="[", tooltip="the view before"),
        Binding("right_square_bracket", "view(1)", "View", key_display="]", tooltip="the next view"),
        Binding("d", "diff", "Diff", tooltip="what differs from parent, baseline, reference in turn"),
        Binding("v", "evaluation", "Evaluation", tooltip="evaluation, feedback, certificate in turn"),
        Binding("x", "trace", "Trace", tooltip="what its lines did", show=False),
        Binding("n", "beside(1)", "Next", tooltip="the next program of the table", show=False),
        Binding("p", "beside(-1)", "Previous", tooltip="the previous program of the table", show=False),
        Binding("u", "parent", "Parent", tooltip="up to its parent"),
        Binding("t", "lineage", "Lineage", tooltip="its place in the tree", show=False),
        Binding("w", "wrap", "Wrap", tooltip="wrap long lines, or not", show=False),
    ]
    DEFAULT_CSS = """
    ProgramPane {
        #head { height: auto; padding: 0 1; }
        #views { height: 1; padding: 0 1; background: $panel; }
    }
    """

    def __init__(self, book: Book, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._book = book
        self._view = 0
        self._wrapped = False
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Static(id="views")
        yield Paper()

    def arrive(self) -> None:
        self.query_one(Paper).focus()

    def on_resize(self) -> None:
        self.query_one("#views", Static).update(self._tabs())

    def update_view(self) -> None:
        """The text is only made anew where it is another one, so that a live run does not scroll it away."""
        program, state = self._book.program, self._book.reader.state
        if program is None:
            self.query_one(Paper).show(Content.styled(NOTHING, "$foreground 60%"), wrapped=True)
            return
        self.query_one("#head", Static).update(self._head(state, program))
        self.query_one("#views", Static).update(self._tabs())
        evaluation = state.evaluation_or_none(program)
        recorded = (evaluation, state.certificates.get(program), state.traces.get(program))
        shown = (program, self._view, self._wrapped, *recorded)
        if shown != self._shown:
            self._shown = shown
            content, wrapped = self._content(state, program)
            self.query_one(Paper).show(content, wrapped or self._wrapped)

    def _head(self, state: RunState, program: str) -> Content:
        proposed, evaluation = state.proposals[program], state.evaluation_or_none(program)
        made = step(state, program)
        operator = clean(operator_of(proposed.operator, proposed.detail))
        first = [(program[: 2 * SHORT], "bold $text-accent"), f"  #{proposed.index}  {operator}"]
        if made.parent is not None:
            first.append((f"  from {made.parent[:SHORT]}  lines +{made.added} -{made.removed}", "$foreground 60%"))
        return Content("\n").join([Content.assemble(*first), self._scored(evaluation, made.gain, proposed.island)])

    @staticmethod
    def _scored(evaluation: Evaluation | None, gain: float | None, island: int) -> Content:
        if evaluation is None:
            return Content.styled("is being evaluated", "$foreground 60%")
        if evaluation.state is not State.VALID:
            return Content.assemble((evaluation.state.value, "bold $text-error"), f"  island {island}")
        over = f"  {gained(gain)} over its parent" if gain is not None else ""
        return Content.assemble(
            ("score ", "$foreground 60%"),
            (score(evaluation.score), "bold"),
            f" {span(evaluation.interval)}",
            (f"{over}  island {island}", "$foreground 60%"),
        )

    def _tabs(self) -> Content:
        names = VIEWS if self.size.width >= 90 else SHORT_VIEWS
        parts: list[tuple[str, str]] = []
        for place, name in enumerate(names):
            parts += [(f" {name} ", "reverse" if place == self._view else "$foreground 60%"), (" ", "")]
        return Content.assemble(*parts)

    def _content(self, state: RunState, program: str) -> tuple[Content, bool]:
        """What the view shows, and whether it is to be wrapped in any case."""
        if VIEWS[self._view] == "source":
            return numbered(clean(source_of(state, program)), "python"), False
        if self._view < VIEWS.index("evaluation"):
            return self._difference(state, program)
        if VIEWS[self._view] == "trace":
            return _written(trace_lines(state, program)), False
        evaluation, certificate = state.evaluation_or_none(program), state.certificates.get(program)
        match VIEWS[self._view]:
            case "evaluation" if evaluation is not None:
                return _written(evaluation_lines(evaluation, state.calibration)), False
            case "feedback" if evaluation is not None:
                return Content(clean(evaluation.feedback) or "no remarks"), True
            case "certificate" if certificate is not None:
                return _written(certificate_lines(certificate, certifies(certificate), state.gap(program))), False
            case "certificate":
                return Content.styled(
                    "it was not scored on fresh instances: only the best programs are", "$foreground 60%"
                ), True
            case _:
                return Content.styled("not evaluated yet", "$foreground 60%"), True

    def _difference(self, state: RunState, program: str) -> tuple[Content, bool]:
        found: dict[str, Callable[[RunState, str], str | None]] = {
            "diff to parent": diff_to_parent,
            "to baseline": diff_to_baseline,
            "to reference": diff_to_reference,
        }
        try:
            text = found[VIEWS[self._view]](state, program)
        except (TaskError, JournalError) as error:
            return Content.styled(clean(str(error)), "$text-warning"), True
        if text is None:
            return Content.styled("it has no parent: the run began with it", "$foreground 60%"), True
        if not text:
            return Content.styled("nothing differs", "$foreground 60%"), True
        return diffed(clean(text)), False

    def show_view(self, name: str) -> None:
        self._view = VIEWS.index(name)
        self.update_view()

    def action_view(self, by: int) -> None:
        self._view = (self._view + by) % len(VIEWS)
        self.update_view()

    def action_diff(self) -> None:
        self._view = self._view + 1 if self._view in (1, 2) else 1
        self.update_view()

    def action_evaluation(self) -> None:
        self._view = self._view + 1 if self._view in (4, 5) else 4
        self.update_view()

    def action_trace(self) -> None:
        self.show_view("trace")

    def action_wrap(self) -> None:
        self._wrapped = not self._wrapped
        self.update_view()

    def action_beside(self, by: int) -> None:
        program = self._book.beside(by)
        if program is None:
            self.notify("the table ends here")
        else:
            self.post_message(OpenProgram(program))

    def action_parent(self) -> None:
        program = self._book.program
        parent = step(self._book.reader.state, program).parent if program else None
        if parent is None:
            self.notify("it has no parent")
        else:
            self.post_message(OpenProgram(parent))

    def action_lineage(self) -> None:
        if self._book.program is not None:
            self.post_message(OpenProgram(self._book.program, "lineage"))

    def copied(self) -> tuple[str, str] | None:
        """The source, or the diff that is shown."""
        found = self.exported()
        return None if found is None else (VIEWS[self._view], found[1])

    def exported(self) -> tuple[str, str] | None:
        """The source as a Python file, a diff as a patch, anything else as text."""
        program, state = self._book.program, self._book.reader.state
        if program is None:
            return None
        if self._view == 0:
            return f"program_{program[:SHORT]}.py", source_of(state, program)
        text = self._content(state, program)[0].plain + "\n"
        ending = "patch" if self._view < VIEWS.index("evaluation") else "txt"
        return f"program_{program[:SHORT]}.{ending}", text


def _written(lines: list[Line]) -> Content:
    return Content("\n").join(Content.styled(line.text, TONES[line.tone]) for line in lines)
