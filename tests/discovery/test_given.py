"""A run that begins with programs of the user's, and one that goes on beyond its end."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from speciate.archive import Evaluated, Journal, Proposed
from speciate.archive.saved import read_run
from speciate.discovery import ConfigError, load_config
from speciate.discovery.run import resume, start
from speciate.evaluators import load_task

LINEAR = str(Path(__file__).parents[1] / "toy_tasks" / "linear")
SHORT: dict[str, Any] = {"budget__evaluations": 6, "workers": 1, "certify": False, "simplify": False}


@pytest.fixture
def better(tmp_path: Path) -> Path:
    """The reference, which has no markers."""
    file = tmp_path / "better.py"
    reference = load_task(LINEAR).reference
    assert reference is not None
    file.write_text(reference)
    return file


def run(directory: Path, *places: Path, **values: Any):
    return start(LINEAR, load_config(None, **SHORT | values), directory, begin_with=places)


def test_a_run_begins_with_a_file_and_with_what_another_run_found(better: Path, tmp_path: Path) -> None:
    first = run(tmp_path / "first", better)
    assert first.score == pytest.approx(1.0, abs=0.2)
    state = read_run(tmp_path / "first")
    (given,) = [state.proposals[program] for program in state.proposals if state.proposals[program].operator == "given"]
    assert given.detail == str(better)
    assert first.evaluations == 6

    second = run(tmp_path / "second", tmp_path / "first", better, seed=7, budget__evaluations=2)
    assert second.best == first.best
    assert second.evaluations == 2


def test_the_baseline_and_copies_are_not_evaluated_again(better: Path, tmp_path: Path) -> None:
    same, again = tmp_path / "same.py", tmp_path / "again.py"
    same.write_text(load_task(LINEAR).baseline)
    again.write_text(better.read_text() + "\n\n# a comment\n")
    run(tmp_path / "run", same, better, again)
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        told = [event for _, _, event in journal.events()]
    given = [event for event in told if isinstance(event, Proposed) and event.operator == "given"]
    assert len(given) == 1
    assert sum(isinstance(event, Evaluated) and event.index == given[0].index for event in told) == 1


def test_what_cannot_be_given_is_said_before_anything_runs(better: Path, tmp_path: Path) -> None:
    forbidden = tmp_path / "forbidden.py"
    forbidden.write_text("import socket\n" + better.read_text())
    for place, words in (
        (forbidden, "socket"),
        (tmp_path / "nowhere.py", "No such file"),
        (tmp_path, "give a program's file or a run's folder"),
    ):
        with pytest.raises(ConfigError, match=words) as raised:
            run(tmp_path / "run", place)
        assert str(place) in str(raised.value)
        assert not (tmp_path / "run").exists()


def test_a_run_of_another_task_is_refused(tmp_path: Path) -> None:
    other = Path(LINEAR).with_name("asking")
    run_of_other = tmp_path / "other"
    start(str(other), load_config(None, **SHORT), run_of_other)
    with pytest.raises(ConfigError, match="not of linear"):
        run(tmp_path / "run", run_of_other)


def test_a_finished_run_goes_on_within_other_limits(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    run(directory)
    before = len(read_run(directory).proposals)
    assert resume(directory).evaluations == 6
    assert len(read_run(directory).proposals) == before
    more = resume(directory, limits={"evaluations": 11})
    assert more.evaluations == 11
    assert more.stopped_by == "evaluations"
    state = read_run(directory)
    assert state.started is not None
    assert state.started.config["budget"]["evaluations"] == 11
    assert resume(directory).evaluations == 11


def test_limits_that_are_reached_already_are_an_error_and_change_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    run(directory)
    events = read_run(directory).evaluations
    for limits in ({"evaluations": 5}, {"tokens": 1000}):
        with pytest.raises(ConfigError, match="--evaluations"):
            resume(directory, limits=limits)
    state = read_run(directory)
    assert state.evaluations == events
    assert state.started is not None
    assert state.started.config["budget"]["evaluations"] == 6


def test_more_is_granted_on_the_command_line(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    run(directory)

    def speciate(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "speciate", *arguments]
        return subprocess.run(command, capture_output=True, check=False, text=True)

    more = ("resume", str(directory), "--evaluations", "8")
    assert json.loads(speciate(*more, "--json").stdout)["evaluations"] == 8
    again = speciate(*more)
    assert again.returncode == 2
    assert "--evaluations" in again.stderr.splitlines()[-1]
    assert speciate("verify", str(directory)).returncode == 0
