"""An exported program as the templates of a library see it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .benchmark import Benchmark, Row
from .chosen import Chosen
from .program import MAIN
from .recorded import Call
from .rendering import render

if TYPE_CHECKING:
    from ..evaluators import Evaluation, TaskFolder

RATIONALE = 300
"""Characters that are kept of what a proposer said of a step."""

SHIPPED = Path(__file__).parent.parent / "tasks"


@dataclass(frozen=True)
class Function:
    """One exported program as the templates see it."""

    library: str
    chosen: Chosen
    calls: Sequence[Call]
    benchmark: Benchmark

    @property
    def folder(self) -> TaskFolder:
        return self.chosen.folder

    @property
    def task(self) -> str:
        """The task's id as the name of a module."""
        return re.sub(r"\W", "_", self.folder.task.id, flags=re.ASCII)

    @property
    def title(self) -> str:
        return self.folder.task.title

    @property
    def claim(self) -> str:
        return self.folder.task.claim

    @property
    def statement(self) -> str:
        """The task's statement with its headings below ours."""
        lines = self.folder.task.statement.strip().splitlines()
        return "\n".join(f"##{line}" if line.startswith("#") else line for line in lines)

    @property
    def entries(self) -> list[str]:
        return list(self.folder.task.entry.functions)

    @property
    def qualified(self) -> str:
        return f"{self.library}.{self.task}.{self.folder.task.entry.name}"

    @property
    def signature(self) -> str:
        return self.folder.task.entry.signature.strip()

    @property
    def paper(self) -> str:
        paper = self.folder.task.paper
        return f"{paper.title} ({paper.year})"

    @property
    def objective(self) -> str:
        objective = self.folder.task.objective
        unit = f" [{objective.unit}]" if objective.unit else ""
        return f"{objective.name}{unit}, {objective.direction.value}"

    @property
    def objective_name(self) -> str:
        objective = self.folder.task.objective
        return f"{objective.name}, {objective.unit}" if objective.unit else objective.name

    @property
    def program(self) -> str:
        return self.chosen.program

    @property
    def is_certified(self) -> bool:
        return self.chosen.certified

    @property
    def score(self) -> str:
        return scored(self.chosen.evaluation)

    @property
    def certified(self) -> str:
        certificate = self.chosen.certificate
        if certificate is None:
            return "none"
        return scored(certificate) + ("" if self.is_certified else ", which does not hold") + _and(self.caveat)

    @property
    def tier(self) -> str:
        return self.chosen.evaluation.tier or "unknown"

    @property
    def value(self) -> str:
        return number(self.chosen.evaluation.value)

    @property
    def baseline(self) -> str:
        calibration = self.chosen.state.calibration
        return number(calibration and calibration.baseline_value)

    @property
    def reference(self) -> str:
        calibration = self.chosen.state.calibration
        return number(calibration and calibration.reference_value)

    @property
    def one(self) -> str:
        """What counts as 1 where there is no reference; else empty."""
        calibration = self.chosen.state.calibration
        return calibration.one if calibration else ""

    @property
    def caveat(self) -> str:
        return self.chosen.evaluation.caveat

    @cached_property
    def oracle(self) -> list[str]:
        """Names of the methods of the oracle that the entry is given; empty for other styles."""
        task = self.folder.task
        if task.oracle is None:
            return []
        instance = task.instances(np.random.default_rng(0), "smoke")[0]
        return list(task.oracle(instance).methods)

    @property
    def lineage(self) -> list[str]:
        state = self.chosen.state
        steps: list[str] = []
        for program in reversed(state.lineage(self.program)):
            proposed, evaluation = state.proposals[program], state.evaluation_or_none(program)
            by = proposed.proposer if proposed.model is None else f"{proposed.proposer} ({proposed.model})"
            operator = f"{proposed.operator} {proposed.detail}".strip()
            score = "-" if evaluation is None else scored(evaluation)
            steps.append(f"{program[:12]}  {operator} by {by}: {score}")
            if proposed.rationale:
                steps.append(f"    {' '.join(proposed.rationale.split())[:RATIONALE]}")
        return steps

    @cached_property
    def documentation(self) -> dict[str, str]:
        """By entry: what it takes and returns, with types and shapes as a recorded call had them."""
        first = {call.entry: call for call in reversed(self.calls)}
        return {
            entry: render("entry.txt.j2", f=self, entry=entry, call=first.get(entry), described=described).strip()
            for entry in self.entries
        }

    @property
    def measured(self) -> list[tuple[str, str, str, str, str]]:
        """Rows of the benchmark: name, score, value of the objective, CPU in seconds, peak memory in MiB."""
        return [
            (
                self.named(row),
                scored(row.evaluation),
                number(row.evaluation.value),
                number(row.evaluation.cpu_seconds),
                f"{row.evaluation.peak_memory / 2**20:.0f}",
            )
            for row in self.benchmark.rows
        ]

    def named(self, row: Row) -> str:
        """A program of the benchmark as people read it."""
        kinds = {"program": f"**`{self.qualified}`**", "known": f"known: {row.name.replace('_', ' ')}"}
        return kinds.get(row.kind, row.name)

    @property
    def licence(self) -> str:
        if self.folder.path.is_relative_to(SHIPPED):
            return "Apache-2.0, as the baseline that the search started from."
        return "that of the task's baseline, which the search started from; its author decides."

    @property
    def local(self) -> dict[str, str]:
        """Modules that the program imports by a name of their own, and their names in the library."""
        files = self.chosen.state.program(self.program).files
        names = {Path(name).stem: f"_{self.task}_{Path(name).stem}" for name in files if name != MAIN}
        if self.folder.helpers is not None and _imports_helpers(files.values()):
            names["helpers"] = f"_{self.task}_helpers"
        return names


def imported(source: str) -> set[str]:
    """Top-level names of absolute imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def _imports_helpers(sources: Iterable[str]) -> bool:
    return any("helpers" in imported(source) for source in sources)


def scored(evaluation: Evaluation) -> str:
    """Score with its interval, or the state where there is no score."""
    if evaluation.score is None:
        return evaluation.state.value
    if evaluation.interval is None:
        return f"{evaluation.score:.3f}"
    return f"{evaluation.score:.3f} [{evaluation.interval.low:.3f}, {evaluation.interval.high:.3f}]"


def _and(caveat: str) -> str:
    return f", {caveat}" if caveat else ""


def described(value: object) -> str:
    """The type of plain data, with dtype and shape of arrays."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    if isinstance(value, list | tuple):
        kinds = dict.fromkeys(described(item) for item in value)
        return f"{type(value).__name__} of {len(value)}" + (f" ({', '.join(kinds)})" if 0 < len(kinds) <= 2 else "")
    return "None" if value is None else type(value).__name__


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
