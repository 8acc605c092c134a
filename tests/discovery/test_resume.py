"""Real runs that are really killed."""

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from speciate.archive import (
    Evaluated,
    IslandAdded,
    IslandReset,
    Journal,
    JournalError,
    Migrated,
    Proposed,
    Remeasured,
    verify,
)

TOY = Path(__file__).parent.parent / "toy_tasks" / "linear"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "speciate", *arguments, "--json"]


def events(directory: Path) -> list:
    """What is in the journal; nothing while it is being made."""
    try:
        journal = Journal.open(directory, readonly=True)
    except JournalError:
        return []
    with contextlib.closing(journal):
        return [event for _, _, event in journal.events()]


def kill_after(process: subprocess.Popen, seconds: float) -> bool:
    """Kill -9 the run's own process after a while; True if it was still alive. No descendant may outlive it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        return False
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive, f"left behind: {alive}"
    return True


@pytest.mark.slow
def test_twenty_five_kills_lose_nothing_and_repeat_only_what_was_in_flight(tmp_path: Path) -> None:
    run = tmp_path / "run"
    dice = random.Random(25)
    begin = command("run", str(TOY), "--evaluations", "4000", "--workers", "2", "--seed", "1", "--out", str(run))
    go_on = command("resume", str(run))
    kills, kept = 0, 0
    while kills < 25:
        has_begun = run.exists() and any(isinstance(event, Proposed) for event in events(run))
        if run.exists() and not has_begun:
            subprocess.run(["rm", "-r", str(run)], check=True)
        process = subprocess.Popen(go_on if has_begun else begin, stdout=subprocess.DEVNULL)
        assert kill_after(process, dice.uniform(0.8, 2.2)), f"ended by itself with status {process.returncode}"
        kills += 1
        evaluated = sum(isinstance(event, Evaluated) for event in events(run)) if run.exists() else 0
        assert evaluated >= kept, "an evaluation that was in the journal is gone"
        kept = evaluated
    indices = Counter(event.index for event in events(run) if isinstance(event, Evaluated))
    assert max(indices.values()) == 1
    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        report = verify(journal)
    assert report.ok, report.problems


@pytest.mark.slow
def test_kills_of_a_clocked_run_repeat_only_what_was_in_flight(tmp_path: Path) -> None:
    run, task = tmp_path / "run", str(TOY.parent / "timed")
    begin = command("run", task, "--evaluations", "80", "--workers", "2", "--seed", "1", "--out", str(run))
    process = subprocess.Popen(begin, stdout=subprocess.DEVNULL)
    for _ in range(6):
        known = len(events(run))
        deadline = time.monotonic() + 120
        while len(events(run)) < known + 25 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if not kill_after(process, 0):
            break
        process = subprocess.Popen(command("resume", str(run)), stdout=subprocess.DEVNULL)
    assert process.wait(300) == 0
    told = events(run)
    evaluated = Counter(event.index for event in told if isinstance(event, Evaluated))
    assert set(evaluated.values()) == {1}
    assert sum(isinstance(event, Evaluated) and not event.evaluation.gated for event in told) == 80
    for before, after in itertools.pairwise(told):
        if isinstance(before, Remeasured):
            assert isinstance(after, Evaluated)
            assert after.index == before.index
    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        assert verify(journal).problems == ()


MOVING = ("migration_interval=7", "topology=random", "reset_interval=9", "stagnation=5", "archive=unstructured")


@pytest.mark.parametrize(("proposer", "islands"), [("symbolic", ()), ("symbolic+tuning", ()), ("symbolic", MOVING)])
def test_a_resumed_run_ends_as_the_unbroken_one(proposer: str, islands: tuple[str, ...], tmp_path: Path) -> None:
    options = ("--evaluations", "60", "--workers", "1", "--seed", "5", "--proposer", proposer)
    options += tuple(f"--set=islands.{setting}" for setting in islands)
    whole = command("run", str(TOY), *options, "--out", str(tmp_path / "whole"))
    subprocess.run(whole, check=True, capture_output=True)
    broken = tmp_path / "broken"
    process = subprocess.Popen(command("run", str(TOY), *options, "--out", str(broken)), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if broken.exists() and sum(isinstance(event, Evaluated) for event in events(broken)) >= 10:
            break
        time.sleep(0.02)
    kill_after(process, 0)
    subprocess.run(command("resume", str(broken)), check=True, capture_output=True)

    def story(directory: Path) -> list[tuple[object, ...]]:
        names = {event.index: event.program for event in events(directory) if isinstance(event, Proposed)}
        told: list[tuple[object, ...]] = []
        for event in events(directory):
            if isinstance(event, Evaluated):
                told.append((event.index, names[event.index], event.evaluation.state))
            elif isinstance(event, Migrated | IslandReset | IslandAdded):
                told.append((event.kind, event.index, event.program, event.source, event.target))
        return told

    assert story(broken) == story(tmp_path / "whole")


@contextlib.contextmanager
def running(run: Path, evaluations: int) -> Iterator[subprocess.Popen[str]]:
    """A run in another process that has evaluated something; killed at the end if it still lives."""
    arguments = command("run", str(TOY), "--evaluations", str(evaluations), "--out", str(run))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 60
            while not any(isinstance(event, Evaluated) for event in events(run)):
                assert time.monotonic() < deadline, "the run did not begin"
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def test_ctrl_c_ends_cleanly_and_resume_finishes(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with running(run, evaluations=400) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["stopped_by"] == "interrupted"
    assert f"speciate resume {run}" in err
    resumed = subprocess.run(command("resume", str(run)), capture_output=True, check=True)
    assert json.loads(resumed.stdout)["evaluations"] == 400


def test_a_second_conductor_on_the_same_run_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with running(run, evaluations=100_000):
        second = subprocess.run(command("resume", str(run)), capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert "in use" in second.stderr
    assert second.stderr.count("\n") == 1
