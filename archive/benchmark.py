"""Benchmark: an exported program beside baseline, reference and known programs, on instances that nobody has seen."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from ..evaluators import Evaluation, Evaluator, TaskError, TaskFolder, calibrate
from ..sandbox import Backend, open_sandbox
from .program import MAIN

PURPOSE = "benchmark"
SETS = 3
"""Draws of instances of a task that is not clocked; a measurement of a clocked one takes as many as it needs."""


@dataclass(frozen=True, slots=True)
class Row:
    """One program of the table; ``kind`` is program, baseline, reference or known."""

    name: str
    kind: str
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All programs of a task on the same draw, the baseline first; or the reason why nothing was measured."""

    rows: tuple[Row, ...] = ()
    problem: str = ""

    @property
    def matched_by(self) -> list[str]:
        """Known programs that score at least as much as the exported one."""
        own = next((row.evaluation.score for row in self.rows if row.kind == "program"), None)
        scores = {row.name: row.evaluation.score for row in self.rows if row.kind == "known"}
        return [name for name, score in scores.items() if own is not None and score is not None and score >= own]


def measure(folder: TaskFolder, files: Mapping[str, str], name: str, backend: Backend) -> Benchmark:
    """Score the program ``files``, called ``name``, and all that its task comes with, on fresh secret instances.

    Raises: SandboxError.
    """
    secret = secrets.token_bytes(32)
    programs = {
        ("baseline", "baseline"): {MAIN: folder.baseline},
        (name, "program"): files,
        **({("reference", "reference"): {MAIN: folder.reference}} if folder.reference is not None else {}),
        **{(known, "known"): {MAIN: source} for known, source in folder.known.items()},
    }
    with open_sandbox(folder.spec(backend)) as sandbox:
        try:
            calibration = calibrate(folder, sandbox, secret, purpose=PURPOSE, sets=_sets(folder))
        except TaskError as error:
            return Benchmark(problem=str(error))
        evaluator = Evaluator(folder, sandbox, secret, calibration)
        rows = [
            Row(shown, kind, evaluator.evaluate(program, shown, gate=False))
            for (shown, kind), program in programs.items()
        ]
    return Benchmark(tuple(rows))


def _sets(folder: TaskFolder) -> int:
    return 1 if folder.task.objective.measure.timed else SETS
