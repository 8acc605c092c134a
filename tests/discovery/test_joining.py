"""Several conductors on one journal: nothing is lost, nothing is repeated, and a replay is what each of them knows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from speciate.agents.scripted import ScriptedProposer
from speciate.archive import Evaluated, Event, Joined, Journal, Migrated, Proposed, RunState, Stopped, replay, verify
from speciate.archive.events import conductor_of
from speciate.archive.settings import ArchiveSettings
from speciate.discovery import Budget, ConfigError, load_config
from speciate.discovery.briefing import task_card
from speciate.discovery.conductor import Conductor
from speciate.discovery.joining import join
from speciate.discovery.opened import open_run
from speciate.discovery.recorder import Recorder
from speciate.discovery.rules import Rules
from speciate.discovery.run import start
from speciate.evaluators import Descriptor, Evaluation, State, load_task

from .conftest import TOY, Imagined, opening, program

AXES = (Descriptor("size", 0.0, 10.0, bins=5),)
LIMIT = 90


def judged(source: str) -> Evaluation:
    number = int(source.partition("N = ")[2].partition("\n")[0])
    descriptors = {"size": float(number % 10)}
    return Evaluation(state=State.VALID, size="default", score=number / 1000, descriptors=descriptors)


def told(journal: Journal) -> list[Event]:
    return [event for _, _, event in journal.events()]


def once_each(events: Sequence[Event], conductors: int) -> None:
    """Every proposal, program and evaluation is there once, and every conductor took part."""
    proposed = [event for event in events if isinstance(event, Proposed)]
    assert len({event.index for event in proposed}) == len(proposed)
    assert len({event.program for event in proposed}) == len(proposed)
    evaluated = Counter(event.index for event in events if isinstance(event, Evaluated))
    assert set(evaluated.values()) == {1}
    assert {conductor_of(index) for index in evaluated} == set(range(conductors))


def conduct(directory: Path, first: int) -> tuple[Journal, RunState, Conductor]:
    """Conductor 0 where nobody else is, else one that joins; its programs are numbered from ``first`` on."""
    folder = load_task(str(TOY))
    config = load_config(None, islands__count=2, workers=2, budget__evaluations=LIMIT)
    journal = Journal.open(directory, conductor=None if first else 0)
    state = replay(journal)
    reserved = 0 if first == 0 else len(state.pending)
    budget = Budget(config.budget, evaluations=state.evaluations + reserved)
    recorder, number = Recorder(journal, state, budget), 0
    if first:
        recorder.begin()
        number = len(state.ended)
        journal.claim(number)
        recorder.record(Joined(conductor=number, islands=2, program=state.baseline, config={}))
        recorder.commit()
    dice = random.Random(first)
    conductor = Conductor(
        config, task_card(folder), Rules(folder.task, program(N=0)), state, journal,
        ScriptedProposer(lambda index: program(N=first + index + 1), latency_seconds=0.001),
        Imagined(judged, 2, lambda: dice.uniform(0.0, 0.01)), budget, number=number,
    )  # fmt: skip
    return journal, state, conductor


def test_conductors_beside_each_other_know_what_the_journal_says(tmp_path: Path) -> None:
    """One after another they stop exactly at the limit that they share."""
    archive = ArchiveSettings.of(AXES, islands=2, migration_interval=5)
    with contextlib.closing(Journal.create(tmp_path / "run")) as journal:
        journal.append(*opening(program(N=0), archive))

    async def search() -> list[tuple[Journal, RunState, Conductor]]:
        conductors = [conduct(tmp_path / "run", 0)]
        running = [asyncio.create_task(conductors[0][2].run())]
        while conductors[0][1].evaluations < 10:
            await asyncio.sleep(0.005)
        for first in (10_000, 50):  # the last one proposes much of what the first one does
            conductors.append(conduct(tmp_path / "run", first))
            running.append(asyncio.create_task(conductors[-1][2].run()))
        assert await asyncio.gather(*running) == ["evaluations"] * 3
        return conductors

    conductors = asyncio.run(search())
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        assert verify(journal).problems == ()
        events, whole = told(journal), replay(journal)
    once_each(events, 3)
    assert sum(isinstance(event, Evaluated) for event in events) == LIMIT
    crossing = [event for event in events if isinstance(event, Migrated)]
    assert any(whole.owners[event.source] != whole.owners[event.target] for event in crossing)
    for journal, state, conductor in conductors:
        conductor._recorder.begin()  # what the others wrote since it ended
        conductor._recorder.commit()
        assert state == whole
        journal.close()


def test_what_is_the_whole_runs_cannot_be_changed_by_one_that_joins(tmp_path: Path) -> None:
    start(str(TOY), load_config(None, budget__evaluations=3, workers=1, certify=False), tmp_path / "run")
    for change in ({"budget.evaluations": 100}, {"seed": 7}, {"islands.archive": "cvt"}):
        with pytest.raises(ConfigError, match="is the whole run's"):
            join(tmp_path / "run", change)


def test_one_that_joins_a_run_that_ended_ends_it_again(tmp_path: Path) -> None:
    """It is the last one then, and so it certifies; islands begin with the baseline."""
    start(str(TOY), load_config(None, budget__evaluations=12, workers=1, certify=False), tmp_path / "run")
    outcome = join(tmp_path / "run", {"islands.count": 3, "workers": 1}, ("certify=true", "simplify=false"))
    assert outcome.stopped_by == "evaluations"
    assert outcome.evaluations == 12
    assert outcome.certificate is not None
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        assert verify(journal).problems == ()
        run = open_run(tmp_path / "run", journal)
    assert run.state.owners == [0, 0, 1, 1, 1]
    assert [island.elites() for island in run.state.archipelago.islands[2:]] == [[run.state.baseline]] * 3
    assert run.state.stopped == "evaluations"


def begin(*words: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "speciate", *map(str, words), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer(process: subprocess.Popen[str]) -> Any:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out)


def seen(directory: Path, kind: str) -> int:
    with contextlib.suppress(Exception), contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        return sum(row.kind == kind for row in journal.rows())
    return 0


def wait_for(directory: Path, kind: str, count: int, conductors: Sequence[subprocess.Popen[str]]) -> None:
    deadline = time.monotonic() + 200
    while seen(directory, kind) < count:
        for one in conductors:
            if one.poll():
                pytest.fail(one.communicate()[1])
        assert time.monotonic() < deadline, f"no {count} of {kind}"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("server", [True, False], ids=["postgresql", "sqlite"])
def test_three_conductors_of_which_one_is_killed(server: bool, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Each in a folder of its own, as on another machine, or all in one; the victim and the time are drawn."""
    dice = random.Random()
    runs = [tmp_path / name for name in ("first", "second", "third")] if server else [tmp_path / "run"] * 3
    place = ("--journal", request.getfixturevalue("database")) if server else ()
    limit = 240
    options = ("--evaluations", limit, "--seed", 1, "--workers", 1, "--set", "islands.migration_interval=10")
    conductors = [begin("run", TOY, *map(str, options), "--out", runs[0], *place)]
    try:
        wait_for(runs[0], "added", 2, conductors)
        for folder in runs[1:]:
            if server:
                folder.mkdir()
                shutil.copy(runs[0] / "journal.url", folder)
            conductors.append(begin("join", folder, "--workers", "1", "--islands", "1"))
        wait_for(runs[0], "joined", 2, conductors)
        wait_for(runs[0], "evaluated", dice.randint(20, 120), conductors)
        time.sleep(dice.uniform(0, 0.3))
        victim = dice.randrange(3)
        os.kill(conductors[victim].pid, signal.SIGKILL)
        conductors[victim].communicate()
        assert conductors[victim].returncode == -signal.SIGKILL
        conductors[victim] = begin("resume", runs[victim])
        answers = [answer(one) for one in conductors]
    finally:
        for one in conductors:
            one.kill()
    last = max(answers, key=lambda one: (one["best"]["certified"], one["evaluations"]))
    assert last["evaluations"] == limit
    assert last["at_work"] == []
    for folder in runs:
        with contextlib.closing(Journal.open(folder, readonly=True)) as journal:
            assert verify(journal).problems == ()
            events, state = told(journal), replay(journal)
        once_each(events, 3)
        assert sum(isinstance(event, Evaluated) and not event.evaluation.gated for event in events) <= limit + 60
        assert state.evaluations == limit
        assert state.certified_best is not None
        assert last["best"]["program"] == state.certified_best[0]
        assert {event.conductor for event in events if isinstance(event, Stopped)} == {0, 1, 2}
