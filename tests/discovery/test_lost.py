"""Evaluations that the machines fail."""

from __future__ import annotations

from typing import Any

import pytest

from speciate.agents.scripted import ScriptedProposer
from speciate.discovery.landing import RunFailed
from speciate.evaluators import Evaluation, State

from .conftest import Imagine, program

POISON = program(N=5)


VALID = Evaluation(state=State.VALID, size="default", score=0.0)
LOST = Evaluation(state=State.INFRA, size="default", feedback="the node is gone")


def poisoned(source: str) -> Evaluation:
    return LOST if source == POISON else VALID


def all_lost(source: str) -> Evaluation:
    """But for the baseline."""
    return VALID if source == program(N=0) else LOST


def test_a_program_on_which_all_machines_fail_is_given_up_and_the_run_goes_on(imagine: Imagine) -> None:
    """Of many millions some will meet three bad nodes; nobody is charged for it."""
    proposer = ScriptedProposer(lambda index: program(N=index + 1))
    values: dict[str, Any] = {"budget__evaluations": 30, "workers": 4, "in_flight": 8}
    state, _ = imagine(poisoned, proposer, program(N=0), duration=lambda: 1.0, **values)
    assert state.evaluations == 30
    assert state.counts[State.INFRA] == 3
    assert not state.pending
    given_up = next(name for name in state.programs if state.program(name).source == POISON)
    assert state.evaluation_or_none(given_up) is None


def test_where_every_machine_fails_the_run_ends(imagine: Imagine) -> None:
    proposer = ScriptedProposer(lambda index: program(N=index + 1))
    with pytest.raises(RunFailed, match=r"failed 3 times in a row .*the node is gone"):
        imagine(all_lost, proposer, program(N=0), duration=lambda: 1.0, budget__evaluations=30, workers=4, in_flight=8)
