"""What follows the search: the best program is made shorter, then certified."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..archive import Evaluated
from .certification import certify
from .events import added_events
from .opened import Run
from .recorder import Recorder
from .simplification import MAX_EVALUATIONS, Simplification, allowance, events, simplify

Stage = Callable[[str], None]
"""Told in a few words what the run does before and after the loop, e.g. ``calibrating``."""


def simplified_best(run: Run, stage: Stage) -> str | None:
    """What simplification leaves of the best program, or None for nothing new."""
    best = run.state.best
    if best is None or best[0] == run.state.baseline or run.state.certified_best is not None:
        return None
    stage("simplifying the best program")
    result = simplify_program(run, best[0], allowance(run.state))
    return result.program.id if result else None


def simplify_program(run: Run, program: str, most: int = MAX_EVALUATIONS) -> Simplification | None:
    """Simplify a program of an open run with at most so many evaluations, and tell the journal."""
    result = simplify(
        run.folder,
        run.state,
        program,
        secret=run.secret,
        calibration=run.calibration,
        backend=run.config.backend,
        most=most,
    )
    recorder = Recorder(run.journal, run.state, run.budget)
    recorder.begin()
    for event in events(result, run.state, run.number) if result else ():
        answers = recorder.fold(event)
        if isinstance(event, Evaluated):
            recorder.told(*added_events(event.index, answers))
    recorder.commit()
    return result


def certify_programs(run: Run, programs: Sequence[str]) -> None:
    """Certify programs in their order until one certificate holds, and tell the journal."""
    for event in certify(run.folder, run.state, programs, run.secret, run.config.backend):
        run.record(event)
