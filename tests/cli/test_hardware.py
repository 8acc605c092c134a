"""Ceilings on the command line, and what every face says of how near a program came to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from speciate import load_run
from speciate.agents.scripted import ScriptedProposer
from speciate.discovery import load_config
from speciate.discovery.run import start
from speciate.evaluators import State
from speciate.evaluators.hardware import Bandwidth, Ceilings, MeasurementFailed, Rates, store, this_machine
from speciate.tui.model.scores import evaluation_lines

TIMED = Path(__file__).parent.parent / "toy_tasks" / "timed"
Command = Callable[..., Any]
BASELINE_SECONDS, REFERENCE_SECONDS = 0.08, 0.003
"""About what the toy takes of CPU on an ordinary machine, for 15,000 rows of 16 numbers."""
SIZE = 15_000 * 16 * 8
FAST = """import numpy as np

# EVOLVE-BLOCK-START


def norms(X):
    return (X * X).sum(axis=1)


# EVOLVE-BLOCK-END
"""


def keep(bandwidth: float, load: float = 0.0) -> Ceilings:
    """Ceilings in the cache as if this machine had been measured before."""
    level = Bandwidth(level="memory", capacity=None, copied=bandwidth, read=bandwidth / 2)
    flops: Any = {"float64": 50e9, "float32": None, "tf32": None, "bfloat16": None}
    rates = Rates(device="cpu", threads=1, bandwidths=(level,), flops=flops)
    made = Ceilings(machine=this_machine(), cpu=(rates,), measured_at="2026-01-01", load=load, seconds=1.0)
    return store._kept(made)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy, larger, and saying what it asks of the hardware."""
    folder = tmp_path_factory.mktemp("tasks") / "declared"
    folder.mkdir()
    for file in TIMED.glob("*.py"):
        (folder / file.name).write_text(file.read_text().replace("else 1500", "else 15_000"))
    text = (folder / "task.py").read_text().replace("    repeats=3,", "    repeats=3,\n    bytes=input_bytes,")
    (folder / "task.py").write_text(text.replace("Verdict\n", "Verdict, input_bytes\n"))
    return folder


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPECIATE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def run(task: Path, directory: Path) -> list[str]:
    """With the baseline and the reference; what was said meanwhile."""
    said: list[str] = []
    config = load_config(None, budget__evaluations=2, workers=1, certify=False)
    start(str(task), config, directory, proposer=ScriptedProposer([FAST]), stage=said.append)
    return said


@pytest.fixture(scope="module")
def finished(task: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    keep(1e11)
    directory = tmp_path_factory.mktemp("runs") / "one"
    assert not any("measuring once" in line for line in run(task, directory))
    return directory


def test_evaluate_says_how_near_the_program_came(command: Command, task: Path) -> None:
    keep(1e11)
    said = command("evaluate", task, task / "reference.py", "--json")
    assert said.status == 0, said.err
    reached = json.loads(said.out)["roofline"]
    assert set(reached) == {"fraction", "baseline", "reference"}
    assert 0 < reached["baseline"] < reached["fraction"] < 0.1
    assert "% of the hardware's limit (memory); baseline " in command("evaluate", task, task / "reference.py").err


def test_show_tui_report_and_rows_say_it_too(command: Command, finished: Path, tmp_path: Path) -> None:
    state = load_run(finished)
    assert state.best is not None
    program, evaluation = state.best
    assert state.program(program).source == FAST
    assert evaluation.roofline is not None
    assert state.calibration is not None
    assert state.calibration.ceilings is not None
    assert state.calibration.ceilings.machine == this_machine()
    shown = command("show", finished, program)
    assert evaluation.nearness in shown.err
    lines = [line.text for line in evaluation_lines(evaluation, state.calibration)]
    assert any(line.startswith(f"{evaluation.nearness}; baseline") for line in lines)
    assert any(line.endswith("of limit") for line in lines)
    assert command("report", finished, "-o", tmp_path / "page.html").status == 0
    page = (tmp_path / "page.html").read_text()
    assert state.calibration.nearness(evaluation).split(" of the hardware")[0] in page
    assert this_machine().processor in page
    assert state.rows()[-1]["roofline"] == evaluation.roofline
    assert all(0 < row["roofline"] < 0.1 for row in state.instances(program))


def test_what_is_faster_than_the_hardware_is_quarantined_in_a_run(task: Path, tmp_path: Path) -> None:
    """On a machine as slow as between what the baseline takes and what the reference takes."""
    between = (BASELINE_SECONDS * REFERENCE_SECONDS) ** 0.5
    keep(SIZE / (1.5 * between))
    run(task, tmp_path / "run")
    state = load_run(tmp_path / "run")
    states = [state.evaluation_of(program).state for program in state.programs]
    assert states == [State.VALID, State.QUARANTINED]
    (program,) = state.quarantined
    assert "where the hardware needs" in state.evaluation_of(program).feedback


def test_a_run_that_has_to_measure_says_so_before(task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = keep(1e11)
    monkeypatch.setenv("SPECIATE_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr(store, "measure", lambda machine, tell: measured)
    said = run(task, tmp_path / "run")
    assert said.count(store.ANNOUNCED) == 1
    assert store.stored(this_machine()) == measured


def test_doctor_shows_what_was_measured(command: Command) -> None:
    keep(12.5e9, load=3.0)
    said = command("doctor")
    assert "copy within the memory" in said.out
    assert "12.5 GB/s" in said.out
    assert "50 Gflop/s" in said.out
    assert "was busy" in said.err
    document = json.loads(command("doctor", "--json").out)
    assert document["hardware"]["processor"] == this_machine().processor
    assert document["ceilings"]["cpu"][0]["bandwidths"][0]["copied"] == 12.5e9


def test_bench_measures_whatever_is_stored(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = keep(2e9)
    keep(1e9)
    monkeypatch.setattr(store, "measure", lambda machine, tell: (tell("measuring one core"), fresh)[1])
    said = command("bench", "--hardware", "--json")
    assert said.status == 0, said.err
    document = json.loads(said.out)
    assert document["fingerprint"] == this_machine().fingerprint
    assert document["cpu"][0]["bandwidths"][0]["copied"] == 2e9
    assert "measuring one core" in said.err
    assert store.stored(this_machine()) == fresh


def test_a_measurement_that_fails_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(machine: object, tell: object) -> Ceilings:
        raise MeasurementFailed("the processor has melted")

    monkeypatch.setattr(store, "measure", fails)
    said = command("bench", "--hardware")
    assert said.status == 2
    assert said.err == "speciate: the processor has melted\n"
