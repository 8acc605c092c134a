"""A run as its journal has it, with its programs as rows for a table or a data frame."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from ..evaluators import Evaluation
from .journal import Journal, JournalError
from .knowledge import certifies
from .state import RunState

Row = dict[str, Any]


@dataclass(eq=False)
class SavedRun(RunState):
    """The state of a run, read from ``directory``; it does not follow a run that goes on."""

    directory: Path = field(default_factory=Path)

    def rows(self) -> list[Row]:
        """One row per program, in the order in which they were proposed.

        Columns: ``program``, ``parent``, ``island``, ``proposer``, ``operator``, ``detail``, ``model``, ``tokens``,
        ``usd``; of its evaluation ``state``, ``score``, ``low`` and ``high`` (the interval), ``value`` (the
        objective's), ``cpu_seconds``, ``peak_memory`` (bytes), ``roofline`` (the fraction of the hardware's limit,
        where the task says what its instances ask of it), ``certified``, ``certified_score``; and one column
        ``descriptor.NAME`` per descriptor. What is not known is None.
        """
        return [self._row(program) for program in self.programs]

    def _row(self, program: str) -> Row:
        proposed, certificate = self.proposals[program], self.certificates.get(program)
        evaluation = self.evaluation_or_none(program)
        values = evaluation.descriptors if evaluation else {}
        descriptors = self.started.archive.descriptors if self.started else ()
        return {
            "program": program,
            "parent": proposed.parents[0] if proposed.parents else None,
            "island": proposed.island,
            "proposer": proposed.proposer,
            "operator": proposed.operator,
            "detail": proposed.detail,
            "model": proposed.model,
            "tokens": proposed.tokens,
            "usd": proposed.usd,
            **_scored(evaluation),
            "certified": certificate is not None and certifies(certificate),
            "certified_score": certificate.score if certificate else None,
            **{f"descriptor.{axis.name}": values.get(axis.name) for axis in descriptors},
        }

    def instances(self, program: str) -> list[Row]:
        """One row per instance on which a program was evaluated; ``program`` is an id or its beginning.

        Columns: ``name``, ``state``, ``value``, ``gain`` (over the baseline), ``cpu_seconds``, ``wall_seconds``,
        ``peak_memory`` (bytes), ``oracle_cost``, ``roofline`` (the fraction of the hardware's limit), and
        ``metric.NAME`` per metric of the judge.
        Raises: JournalError where no program or several begin so; KeyError where it has no evaluation.
        """
        evaluation = self.evaluation_of(self.find(program))
        return [
            {
                **one.model_dump(mode="json", exclude={"metrics", "note", "roofline"}),
                "roofline": one.roofline.fraction if one.roofline else None,
                **{f"metric.{name}": value for name, value in one.metrics.items()},
            }
            for one in evaluation.instances
        ]

    def source(self, program: str) -> str:
        """Text of a program, by its id or its beginning. Raises: JournalError."""
        return self.program(self.find(program)).source

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from .history import read_history
        from .rendering import render
        from .report import wording
        from .report.content import Content

        try:
            content = Content(read_history(self.directory), None, {})
        except JournalError as error:
            return f"<p>{escape(str(error))}</p>"
        return render("summary.html.j2", c=content, w=wording, run=self.directory)


def read_run(directory: Path) -> SavedRun:
    """What a run knows, replayed from its journal; also while it goes on.

    Raises: JournalError where there is no run, or it cannot be read.
    """
    state = SavedRun(directory=directory)
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        for _, _, event in journal.events():
            state.apply(event)
    if state.started is None:
        raise JournalError(f"{directory} was stopped before its run began: start it again with 'speciate run'")
    return state


def _scored(evaluation: Evaluation | None) -> Row:
    if evaluation is None:
        names = ("state", "score", "low", "high", "value", "cpu_seconds", "peak_memory", "roofline")
        return dict.fromkeys(names)
    interval = evaluation.interval
    return {
        "state": evaluation.state.value,
        "score": evaluation.score,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "value": evaluation.value,
        "cpu_seconds": evaluation.cpu_seconds,
        "peak_memory": evaluation.peak_memory,
        "roofline": evaluation.roofline,
    }
