"""What is known when a program goes to its evaluation, and what its failure teaches those after it."""

from __future__ import annotations

from itertools import islice

from ..archive import Program, RunState
from ..archive.events import Refuted
from ..evaluators import Evaluation, Known
from ..evaluators.evaluator import REFUTED
from .executor import Executor
from .flight import Landed

MOST_COUNTEREXAMPLES = 8
"""Each is one more run of every program."""

PATIENCE = 10
"""Searches in a row that find nothing, after which the task is taken to have no small counterexamples."""


def known_to(state: RunState, program: str, lines: int) -> Known:
    """What is known when ``program`` is evaluated, with ``lines`` evaluations in flight.

    Programs proposed just before it are in flight with it. A run that was killed may find some of their evaluations in
    its journal already: these are left out, so that it goes on as it would have.
    """
    earlier = reversed(state.proposals)
    for name in earlier:
        if name == program:
            break
    beside = frozenset(islice(earlier, lines - 1))
    counterexamples = [instance for instance, by in state.counterexamples.items() if by not in beside]
    return Known(_behaviours(state, beside), tuple(counterexamples))


def _behaviours(state: RunState, beside: frozenset[str]) -> frozenset[str]:
    """None are known where the smoke instances do not even tell the baseline from the reference."""
    if state.calibration is None or not state.calibration.smoke_tells:
        return frozenset()
    flying = (state.evaluation_or_none(name) for name in beside)
    theirs = {one.behaviour for one in flying if one is not None and state.behaviours.get(one.behaviour) in beside}
    return frozenset(state.behaviours) - theirs


async def refuted(state: RunState, executor: Executor, landed: Landed, evaluation: Evaluation) -> list[Refuted]:
    """The search for a counterexample to a program that failed its evaluation though it passed the smoke instances.

    It must let pass the baseline and the best program of the run: it shall stop no good one.
    """
    if evaluation.size == "smoke" or evaluation.state not in REFUTED or _enough(state):
        return []
    best = state.best
    sound = {state.baseline, best[0] if best else state.baseline}
    programs: list[Program] = [state.program(name) for name in sorted(sound)]
    found = await executor.counterexample(landed.proposed.files, [program.files for program in programs])
    return [Refuted(index=landed.proposed.index, program=landed.proposed.program, evaluation=found)]


def _enough(state: RunState) -> bool:
    latest = list(state.refutations.values())[-PATIENCE:]
    return len(state.counterexamples) >= MOST_COUNTEREXAMPLES or (len(latest) == PATIENCE and not any(latest))
