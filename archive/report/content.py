"""What a report says, ready for its template: plain values, no layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ...evaluators import Evaluation, Interval, Measure, State
from ...evaluators.evaluation import percent
from ..failures import Failure
from ..history import History, Yield, yields_by_mutation, yields_by_proposer
from ..knowledge import certifies
from ..state import SIMPLIFY
from . import code, figures, wording

if TYPE_CHECKING:
    from ...evaluators import Task
    from ...evaluators.redteam import Finding

Glossary = Mapping[str, str]
"""Name of a mutation or operator -> what it does, in one sentence."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A score on the scale from baseline to reference; ``kind`` names its colour."""

    name: str
    kind: str
    score: float
    interval: Interval | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """One program of a lineage and how it came to be."""

    program: str
    operator: str
    by: str
    explained: tuple[str, ...]
    rationale: str
    evaluation: Evaluation | None
    gained: float | None
    diff: tuple[code.Line, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """One certification."""

    program: str
    found: float | None
    evaluation: Evaluation
    holds: bool


@dataclass(frozen=True)
class Content:
    """The facts of one run; ``task`` is missing where its files are gone or have changed."""

    history: History
    task: Task | None
    glossary: Glossary
    findings: Sequence[Finding] | None = None
    """Of a red team on this machine; None where none was asked for."""
    problems: Sequence[str] = ()
    """What is wrong with the journal."""

    @cached_property
    def program(self) -> str:
        """The one that the report is about: the chosen one, else the baseline."""
        chosen = self.history.chosen
        return chosen[0] if chosen else self.history.state.baseline

    @property
    def task_id(self) -> str:
        started = self.history.state.started
        assert started is not None
        return started.task

    @property
    def title(self) -> str:
        return self.task.title if self.task else self.task_id

    @property
    def verdict(self) -> str:
        return wording.verdict(self.history)

    @property
    def certificate(self) -> Evaluation | None:
        return self.history.state.certificates.get(self.program)

    @property
    def certified(self) -> bool:
        return self.certificate is not None and certifies(self.certificate)

    @property
    def evaluation(self) -> Evaluation | None:
        return self.history.state.evaluation_or_none(self.program)

    @property
    def objective(self) -> str:
        if self.task is None:
            return "objective"
        objective = self.task.objective
        unit = f" in {objective.unit}" if objective.unit else ""
        return f"{objective.name}{unit} ({objective.direction.value})"

    @property
    def clocked(self) -> bool:
        return self.history.state.clocked

    @property
    def ratio(self) -> bool:
        """Whether gains are logarithms of ratios."""
        return self.clocked if self.task is None else self.task.objective.scale == "log"

    @property
    def measure(self) -> str:
        """Who measures the objective."""
        if self.task is None or self.task.objective.measure is Measure.METRIC:
            return "the judge, from the program's output"
        return f"the harness, from outside the program ({self.task.objective.measure.value.replace('_', ' ')})"

    @property
    def top(self) -> str:
        """What stands at 1 on the scale."""
        calibration = self.history.state.calibration
        return calibration.top if calibration else "reference (paper)"

    @property
    def unreferenced(self) -> bool:
        calibration = self.history.state.calibration
        return calibration is not None and bool(calibration.one)

    @property
    def caveat(self) -> str:
        return self.evaluation.caveat if self.evaluation else ""

    @cached_property
    def marks(self) -> list[Mark]:
        """From the baseline to the reference, what was measured in between."""
        calibration = self.history.state.calibration
        marks = [Mark("baseline", "muted", 0.0, None, calibration.baseline_value if calibration else None)]
        for name, kind, one in (
            ("best program, in the search", "best", self.evaluation),
            ("best program, on fresh instances", "fresh", self.certificate),
        ):
            if one is not None and one.score is not None and self.program != self.history.state.baseline:
                marks.append(Mark(name, kind, one.score, one.interval, one.value))
        marks.append(Mark(self.top, "reference", 1.0, None, calibration.reference_value if calibration else None))
        return marks

    @property
    def gap(self) -> float | None:
        return self.history.state.gap(self.program) if self.certificate else None

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """The run in numbers."""
        state, history = self.history.state, self.history
        facts = [
            ("evaluations", str(state.evaluations)),
            ("valid", f"{100 * state.valid / max(1, sum(state.counts.values())):.0f} %"),
            ("programs", str(len(state.programs))),
            ("time", wording.seconds(history.seconds)),
            ("CPU", wording.seconds(self.search_cpu)),
        ]
        if state.spent.tokens:
            facts += [("tokens", f"{state.spent.tokens:,}"), ("cost", f"{state.spent.usd:.2f} USD")]
        return [*facts, ("ended by", state.stopped or "not ended")]

    @property
    def search_cpu(self) -> float:
        attempts = self.history.attempts
        return self.history.infra_cpu + sum(one.cpu_seconds + one.evaluation_cpu for one in attempts)

    @cached_property
    def states(self) -> list[tuple[str, int, float]]:
        """How the evaluations ended: (state, number, share)."""
        counts = self.history.state.counts
        return figures.states({state.value: counts[state] for state in State})

    @cached_property
    def cpu_by_state(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for one in self.history.evaluated:
            if one.state is not None:
                found[one.state.value] = found.get(one.state.value, 0.0) + one.evaluation_cpu
        return found

    @property
    def dropped(self) -> int:
        """Proposals that led to no evaluation: duplicates, and programs that break the rules."""
        return sum(one.dropped is not None for one in self.history.attempts)

    @property
    def failures(self) -> list[Failure]:
        return self.history.failures.rows()

    @cached_property
    def mutations(self) -> list[Yield]:
        return yields_by_mutation(self.history)

    @cached_property
    def proposers(self) -> list[Yield]:
        return yields_by_proposer(self.history)

    @cached_property
    def lineage(self) -> list[Step]:
        """From the baseline to the program."""
        line = list(reversed(self.history.state.lineage(self.program)))
        return [self._step(name, line[number - 1] if number else None) for number, name in enumerate(line)]

    def _step(self, program: str, parent: str | None) -> Step:
        state = self.history.state
        proposed, evaluation = state.proposals[program], state.evaluation_or_none(program)
        before = state.evaluation_or_none(parent) if parent else None
        scores = (evaluation and evaluation.score, before and before.score)
        names = [part for part in proposed.detail.split("+") if part in self.glossary] or [proposed.operator]
        plain = proposed.detail if proposed.operator == SIMPLIFY else proposed.detail.replace("+", ", ")
        return Step(
            program=program,
            operator=f"{proposed.operator} {plain.replace('_', ' ')}".strip(),
            by=proposed.proposer if proposed.model is None else f"{proposed.proposer} ({proposed.model})",
            explained=tuple(self.glossary[name] for name in names if name in self.glossary),
            rationale=proposed.rationale,
            evaluation=evaluation,
            gained=scores[0] - scores[1] if scores[0] is not None and scores[1] is not None else None,
            diff=tuple(code.diff(state.program(parent).source, state.program(program).source)) if parent else (),
        )

    @cached_property
    def total_diff(self) -> list[code.Line]:
        """Baseline to program."""
        state = self.history.state
        return code.diff(state.program(state.baseline).source, state.program(self.program).source)

    @property
    def files(self) -> dict[str, list]:
        return {name: code.highlighted(text) for name, text in self.history.state.program(self.program).files.items()}

    @cached_property
    def series(self) -> list[figures.Series]:
        return figures.all_series(self.history, self.program)

    @property
    def nearness(self) -> str:
        """How near to the hardware's limit the program came in the search, beside baseline and reference."""
        calibration, evaluation = self.history.state.calibration, self.evaluation
        return calibration.nearness(evaluation) if calibration and evaluation else ""

    @property
    def machine(self) -> str:
        """What the limit is that of."""
        calibration = self.history.state.calibration
        ceilings = calibration.ceilings if calibration else None
        return ceilings.machine.processor if ceilings else ""

    @cached_property
    def instance_rows(self) -> list[tuple[str, ...]]:
        """Per instance of the search: name, state, values of baseline, program and reference, CPU of both in s.

        Where it is known, also the program's part of the hardware's limit.
        """
        calibration, evaluation = self.history.state.calibration, self.evaluation
        if calibration is None or evaluation is None:
            return []
        return [
            (
                one.name,
                one.state.value,
                wording.number(calibration.baseline.get(one.name)),
                wording.number(one.value),
                wording.number(calibration.reference.get(one.name)),
                wording.number(calibration.baseline_cpu.get(one.name)),
                wording.number(one.cpu_seconds),
                *([percent(one.roofline.fraction) if one.roofline else "–"] if self.nearness else []),
            )
            for one in evaluation.instances
        ]

    @cached_property
    def certifications(self) -> list[Tried]:
        state = self.history.state
        return [
            Tried(program, state.evaluation_of(program).score, evaluation, certifies(evaluation))
            for program, evaluation in state.certificates.items()
        ]

    @property
    def tiers(self) -> list[tuple[str, str]]:
        """Every tier that a certified or chosen evaluation ran in, and what it is."""
        found = [one.tier for one in (self.evaluation, self.certificate) if one is not None and one.tier]
        return [(tier, wording.TIERS.get(tier, "")) for tier in dict.fromkeys(found)]

    @property
    def refused(self) -> list[tuple[str, int]]:
        """States of programs that were caught at something."""
        counts = self.history.state.counts
        return [(state.value, counts[state]) for state in (State.FORBIDDEN, State.QUARANTINED, State.INFRA)]

    def settings(self) -> Iterator[tuple[str, str]]:
        """The run's configuration, one dotted key each."""
        started = self.history.state.started
        assert started is not None
        yield from _flat("", started.config)


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), item)
    elif value is not None:
        yield prefix, str(value)
