"""What can be done to a run that is not at work."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from ..archive import Journal, JournalError, Program
from ..evaluators import Evaluation, State
from .finish import Stage, certify_programs, simplify_program
from .opened import open_run
from .simplification import Simplification


@dataclass(frozen=True, slots=True)
class Simplified:
    """What came of simplifying ``original``; ``result`` is None where nothing could go."""

    run: Path
    original: Program
    before: Evaluation
    result: Simplification | None
    certificate: Evaluation | None


def simplify_in(directory: Path, program: str | None, stage: Stage = lambda text: None) -> Simplified:
    """Simplify a program of the run in ``directory`` (by its id; the best one by default) and certify what is left.

    Raises: JournalError also where a live run uses the folder or has no such program; otherwise as ``resume``.
    """
    with contextlib.closing(Journal.open(directory)) as journal:
        run = open_run(directory, journal)
        best = run.state.certified_best or run.state.best
        chosen = run.state.find(program) if program else best[0] if best else run.state.baseline
        before = run.state.evaluation_or_none(chosen)
        if before is None or before.state is not State.VALID:
            raise JournalError(
                f"program {chosen[:12]} is not VALID in this run: only a program with a score can shrink"
            )
        stage("simplifying")
        result = simplify_program(run, chosen)
        if result and result.program.id not in run.state.certificates:
            stage("certifying what is left on fresh instances")
            certify_programs(run, (result.program.id,))
        certificate = run.state.certificates.get(result.program.id) if result else None
        return Simplified(directory, run.state.program(chosen), before, result, certificate)
