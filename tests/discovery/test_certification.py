"""Certification in the real jail: what is implausible counts only where it holds on fresh instances, twice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from speciate.agents.scripted import ScriptedProposer
from speciate.archive import Certified, Journal, RunState, replay, verify
from speciate.benchmarks.noise import CLOCKED, respelled
from speciate.discovery import load_config
from speciate.discovery.certification import confidence_of
from speciate.discovery.opened import Outcome
from speciate.discovery.run import start
from speciate.evaluators import State, load_task
from speciate.evaluators.consistency import inconsistency
from speciate.sandbox import SandboxSpec, open_sandbox

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"


@pytest.fixture
def doubtful(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of the toy with something that makes its best programs implausible."""

    def make(declared: str) -> Path:
        folder = tmp_path / "task"
        folder.mkdir()
        for file in LINEAR.glob("*.py"):
            (folder / file.name).write_text(file.read_text().replace("    claim=", f"    {declared},\n    claim="))
        return folder

    return make


def run(task: Path, directory: Path, sources: list[str]) -> Outcome:
    config = load_config(None, budget__evaluations=len(sources) + 1, workers=1)
    return start(str(task), config, directory, proposer=ScriptedProposer(sources))


def state_of(directory: Path) -> RunState:
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        assert verify(journal).problems == ()
        return replay(journal)


PROGRAM = """import numpy as np

# EVOLVE-BLOCK-START


def solve(x):
    return {returned}


# EVOLVE-BLOCK-END
"""
PERFECT = PROGRAM.format(returned="2.5 * x")
RESTLESS = PROGRAM.format(returned="2.5 * x + 1e-12 * np.random.default_rng().random()")


def test_a_gain_below_the_floor_is_certified_where_it_holds_and_is_an_elite_nowhere(
    doubtful: Callable[[str], Path], tmp_path: Path
) -> None:
    task = doubtful("floor=lambda instance: 1e-3")
    outcome = run(task, tmp_path / "run", [PERFECT])
    state = state_of(tmp_path / "run")
    (program,) = state.quarantined
    assert all(program not in island.elites() for island in state.archipelago.islands)
    assert outcome.best == program
    assert outcome.certified
    assert outcome.certificate is not None
    assert outcome.certificate.interval is not None
    assert outcome.certificate.interval.confidence == confidence_of(1)
    assert "confirmed on two draws" in outcome.certificate.feedback


def test_a_quarantined_program_that_is_not_consistent_stays_so(doubtful: Callable[[str], Path], tmp_path: Path) -> None:
    task = doubtful("floor=lambda instance: 1e-3")
    outcome = run(task, tmp_path / "run", [RESTLESS])
    state = state_of(tmp_path / "run")
    (program,) = state.quarantined
    assert not outcome.certified
    assert state.certificates[program].state is State.QUARANTINED
    assert "different outputs" in state.certificates[program].feedback


def test_the_probe_lets_an_honest_program_pass() -> None:
    folder = load_task(str(LINEAR))
    with open_sandbox(SandboxSpec()) as sandbox:
        assert inconsistency(folder, sandbox, b"s", {"program.py": PERFECT}, "p") is None
        assert inconsistency(folder, sandbox, b"s", {"program.py": RESTLESS}, "p")


def test_the_gap_is_stored_and_is_search_minus_certificate(tmp_path: Path) -> None:
    outcome = run(LINEAR, tmp_path / "run", [PROGRAM.format(returned="2.4 * x"), PROGRAM.format(returned="2.3 * x")])
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        (event,) = [event for _, _, event in journal.events() if isinstance(event, Certified)]
    assert outcome.score is not None
    assert outcome.certificate is not None
    assert outcome.certificate.score is not None
    assert event.gap == outcome.gap == pytest.approx(outcome.score - outcome.certificate.score)


def test_a_faster_program_is_an_elite_and_certified_by_the_clock(tmp_path: Path) -> None:
    folder = load_task(str(CLOCKED))
    outcome = run(CLOCKED, tmp_path / "run", [respelled(folder.baseline, 1), folder.programs["reference"]])
    state = state_of(tmp_path / "run")
    assert outcome.certified
    assert outcome.certificate is not None
    assert outcome.certificate.score == pytest.approx(1, abs=0.3)
    assert any(outcome.best in island.elites() for island in state.archipelago.islands)
