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
    counterexamples = [
        instance
        for instance, by in state.counterexamples.items()
        if by not in beside and (instance not in state.withdrawn or state.withdrawn[instance] in beside)
    ]
    return Known(_behaviours(state, beside), tuple(counterexamples), _probes(state, beside))


def _probes(state: RunState, beside: frozenset[str]) -> bool:
    """The second, fourth, eighth ... program that fails on a counterexample is evaluated all the same.

    Where a judge allows a tolerance, one that is good on all instances of a run may fail on a small one by chance.
    """
    stopped = sum(program not in beside for program in state.stopped_by)
    return stopped > 0 and not (stopped + 1) & stopped


def _behaviours(state: RunState, beside: frozenset[str]) -> frozenset[str]:
    """None are known where the smoke instances do not even tell the baseline from the reference."""
    if state.calibration is None or not state.calibration.smoke_tells:
        return frozenset()
    flying = (state.evaluation_or_none(name) for name in beside)
    theirs = {one.behaviour for one in flying if one is not None and state.behaviours.get(one.behaviour) in beside}
    return frozenset(state.behaviours) - theirs
