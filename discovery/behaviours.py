"""Which behaviours are known when a program goes to its evaluation."""

from __future__ import annotations

from itertools import islice

from ..archive import RunState


def known_behaviours(state: RunState, program: str, lines: int) -> frozenset[str]:
    """Of the programs that have been evaluated when ``program`` is, with ``lines`` evaluations in flight.

    Those proposed just before it are in flight with it. A run that was killed may find some of them in its journal
    already: they are left out, so that it goes on as it would have. None are known where the smoke instances do not
    even tell the baseline from the reference.
    """
    if state.calibration is None or not state.calibration.smoke_tells:
        return frozenset()
    earlier = reversed(state.proposals)
    for name in earlier:
        if name == program:
            break
    beside = set()
    for name in islice(earlier, lines - 1):
        evaluation = state.evaluation_or_none(name)
        if evaluation is not None and state.behaviours.get(evaluation.behaviour) == name:
            beside.add(evaluation.behaviour)
    return frozenset(state.behaviours) - beside
