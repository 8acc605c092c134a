"""Small runs made of events, without sandbox or task; a PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from speciate.archive import (
    Added,
    ArchiveSettings,
    Dropped,
    Evaluated,
    Event,
    Program,
    Proposed,
    RunStarted,
    RunState,
    moved,
)
from speciate.evaluators import Descriptor, Evaluation, Interval, State

AXES = (Descriptor("size", 0.0, 10.0, bins=5), Descriptor("cost", 1e-2, 1e2, bins=4, scale="log"))

Outcome = tuple[State, float | None, float, float]
"""State, score, the two descriptors."""


class Scripted:
    """What the conductor would make of a list of outcomes."""

    @staticmethod
    def evaluation(outcome: Outcome) -> Evaluation:
        state, score, size, cost = outcome
        interval = None if score is None else Interval(low=score - 0.1, high=score + 0.1)
        return Evaluation(
            state=state, size="default", score=score, interval=interval, descriptors={"size": size, "cost": cost}
        )

    @staticmethod
    def started(islands: int = 2, interval: int = 3, **others: Any) -> RunStarted:
        settings = ArchiveSettings.of(AXES, islands=islands, migration_interval=interval, **others)
        return RunStarted(
            task="t", task_path="/t", task_digest="d", config={}, archive=settings, seed=0, secret="00", version="0"
        )

    @staticmethod
    def proposed(index: int, island: int = 0, parents: Sequence[str] = ()) -> Proposed:
        program = Program.of(f"def solve(x):\n    return x + {index}\n")
        return Proposed(
            index=index,
            island=island,
            files=dict(program.files),
            program=program.id,
            parents=tuple(parents),
            operator="mutate" if index else "seed",
            proposer="scripted",
        )

    @staticmethod
    def conduct(
        outcomes: Sequence[Outcome | None], islands: int = 2, interval: int = 3, **others: Any
    ) -> Iterator[tuple[Event, RunState]]:
        """The events of a run as the conductor makes them, each with the live state after it; None is a drop."""
        state = RunState()

        def record(event: Event) -> tuple[Event, RunState]:
            state.apply(event)
            return event, state

        yield record(Scripted.started(islands, interval, **others))
        for index, outcome in enumerate(outcomes):
            if outcome is None:
                yield record(Dropped(index=index, island=index % islands, reason="duplicate", tokens=5))
                continue
            parents = list(state.proposals)[-1:]
            yield record(Scripted.proposed(index, index % len(state.archipelago.islands), parents))
            evaluated = Evaluated(index=index, evaluation=Scripted.evaluation(outcome))
            answers = state.apply(evaluated)
            yield evaluated, state
            for island, answer in answers:
                yield record(
                    Added(
                        index=index,
                        island=island,
                        status=answer.status,
                        improvement=answer.improvement,
                        reason=answer.reason,
                        displaced=answer.displaced,
                    )
                )
            for move in state.archipelago.due():
                yield record(moved(index, move))

    @staticmethod
    def events(*args: Any, **kwargs: Any) -> list[Event]:
        return [event for event, _ in Scripted.conduct(*args, **kwargs)]


@pytest.fixture(scope="session")
def scripted() -> type[Scripted]:
    return Scripted


def _as_postgres(*command: str | Path) -> list[str]:
    """The server refuses to be root."""
    words = [str(word) for word in command]
    return (
        ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", *words]
        if not os.getuid()
        else words
    )


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """URL of a database on a PostgreSQL server of our own, on the loopback device."""
    pytest.importorskip("psycopg", reason="NOT TRIED on PostgreSQL: pip install 'speciate[postgres]'")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not programs:
        pytest.skip("NOT TRIED on PostgreSQL: there is no server here; apt install postgresql")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="speciate-postgres-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    options = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    subprocess.run(_as_postgres(programs[-1] / "initdb", *options), check=True, capture_output=True, cwd=folder)
    listening = ["-h", "127.0.0.1", "-p", str(port), "-k", folder, "-c", "fsync=off", "-c", "max_connections=40"]
    log = (folder / "log").open("w")
    server = subprocess.Popen(_as_postgres(programs[-1] / "postgres", "-D", data, *listening), stderr=log, cwd=folder)
    try:
        _wait_for(port)
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int) -> None:
    import psycopg

    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return
