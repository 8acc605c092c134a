"""What is known when a program goes to its evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile

from ..archive import RunState
from ..evaluators import Known


class Earlier:
    """The behaviours of programs up to a place in the order of proposal.

    Not a copy, which would take longer the longer a run is, but what landed before and nothing else: evaluations of
    that place and before it have landed. On its way to another machine it becomes a set.
    """

    def __init__(self, behaviours: Mapping[str, str], places: Mapping[str, int], last: int) -> None:
        self._behaviours = behaviours
        self._places = places
        self._last = last

    def __contains__(self, behaviour: object) -> bool:
        program = self._behaviours.get(behaviour) if isinstance(behaviour, str) else None
        return program is not None and self._places[program] <= self._last

    def __reduce__(self) -> tuple[type[frozenset[str]], tuple[Iterable[str]]]:
        return frozenset, ([name for name in self._behaviours if name in self],)


def known_to(state: RunState, program: str, lines: int) -> Known:
    """What is known when ``program`` is evaluated, with ``lines`` evaluations in flight.

    Programs proposed just before it are in flight with it. A run that was killed may find some of their evaluations in
    its journal already: these are left out, so that it goes on as it would have.
    """
    here = state.places[program]
    first = here - lines + 1

    def beside(other: str) -> bool:
        return first <= state.places[other] < here

    counterexamples = [
        instance
        for instance, by in state.counterexamples.items()
        if not beside(by) and (instance not in state.withdrawn or beside(state.withdrawn[instance]))
    ]
    # None are known where the smoke instances do not even tell the baseline from the reference.
    tells = state.calibration is not None and state.calibration.smoke_tells
    behaviours = Earlier(state.behaviours, state.places, first - 1) if tells else frozenset[str]()
    return Known(behaviours, tuple(counterexamples), _probes(state, first))


def _probes(state: RunState, first: int) -> bool:
    """The second, fourth, eighth ... program that fails on a counterexample is evaluated all the same.

    Where a judge allows a tolerance, one that is good on all instances of a run may fail on a small one by chance.
    """
    beside = takewhile(lambda other: state.places[other] >= first, reversed(state.stopped_by))
    stopped = len(state.stopped_by) - sum(1 for _ in beside)
    return stopped > 0 and not (stopped + 1) & stopped
