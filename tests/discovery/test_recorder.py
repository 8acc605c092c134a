"""What a run has told of is in its journal, also when it is killed in the middle of a thousand programs a second."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from speciate.archive import Evaluated, Journal, JournalError, Proposed, Replied, RunState, replay, verify
from speciate.discovery import Budget
from speciate.discovery.config import BudgetSettings
from speciate.discovery.recorder import Recorder

from .conftest import opening, program
from .test_joining import AXES

SIMULATED = """
import asyncio, contextlib, os, sys
from pathlib import Path
from speciate.archive import Journal, RunState
from speciate.benchmarks.cluster import Cluster, Load, Model
from speciate.benchmarks.scale import TASK, conduct, opening
from speciate.benchmarks.virtual import VirtualLoop
from speciate.discovery.config import BudgetSettings, RunConfig
from speciate.evaluators import load_task

class Told:
    def notify(self, event, state, budget):
        if event.kind in ("evaluated", "replied"):
            os.write(1, f"{event.kind} {event.index}\\n".encode())

load, folder = Load(workers=200, longest=1.0, last_reply=2.0, ordered=False), load_task(TASK)
config = RunConfig(budget=BudgetSettings(evaluations=100_000), workers=200, in_flight=400, ordered=False)
with contextlib.closing(Journal.create(Path(sys.argv[1]))) as journal:
    state, events = RunState(), opening(folder, config)
    journal.append(*events)
    for event in events:
        state.apply(event)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(conduct(folder, config, state, journal, Model(load, folder.baseline), Cluster(load), Told()))
"""


def test_nothing_that_was_told_is_lost_by_a_kill(tmp_path: Path) -> None:
    """In batches: there are fewer transactions than events that wait for one."""
    run = tmp_path / "run"
    most = random.Random().randint(300, 900)
    told: set[tuple[str, int]] = set()
    with subprocess.Popen([sys.executable, "-c", SIMULATED, str(run)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            kind, index = line.split()
            told.add((kind, int(index)))
            if len(told) == most:
                os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        assert verify(journal).problems == ()
        found = [(at, event) for _, at, event in journal.events()]
    kept = {(event.kind, event.index) for _, event in found if isinstance(event, Evaluated | Replied)}
    assert told <= kept
    counted = [event.index for _, event in found if isinstance(event, Proposed)]
    assert len(counted) == len(set(counted))
    assert len({at for at, _ in found}) < len(found) / 3


def test_after_an_event_that_could_not_be_written_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was folded and not written would be missing in a replay of what follows."""
    from speciate.archive.settings import ArchiveSettings

    def fails(*events: object) -> int:
        raise JournalError("the disk is full")

    with contextlib.closing(Journal.create(tmp_path / "run")) as journal:
        state = RunState()
        recorder = Recorder(journal, state, Budget(BudgetSettings(evaluations=3)))
        started, calibrated, seed = opening(program(N=0), ArchiveSettings.of(AXES, islands=1))
        recorder.record_now(started, calibrated)
        with monkeypatch.context() as patch:
            patch.setattr(journal, "commit", fails)
            with pytest.raises(JournalError, match="full"):
                recorder.record_now(seed)
        recorder.close()
        with pytest.raises(JournalError, match="go on with 'speciate resume"):
            recorder.record_now(seed)
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        assert [event.kind for _, _, event in journal.events()] == ["run_started", "calibrated"]
        assert replay(journal) != state
