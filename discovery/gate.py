"""What is known when a program goes to its evaluation."""

from __future__ import annotations

from itertools import islice

from ..archive import RunState
from ..evaluators import Known


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
