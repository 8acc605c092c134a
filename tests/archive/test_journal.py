"""The journal against real processes: kills, second writers, readers beside a writer, full disks, damage.

What holds of every store is tried with SQLite and on a PostgreSQL server.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from speciate.archive import Dropped, Journal, JournalError, Resumed, RunState, is_run, replay, verify
from speciate.archive.store import store_of
from speciate.evaluators import State

WRITER = """
import sys
from pathlib import Path
from speciate.archive import *
from speciate.evaluators import Descriptor, Evaluation, State

def run(journal):
    settings = ArchiveSettings.of((Descriptor("x", 0, 1),), islands=2, migration_interval=5)
    journal.append(RunStarted(task="t", task_path="", task_digest="", config={}, archive=settings, seed=0, secret="",
                              version="0"))
    state = RunState()
    state.apply(RunStarted(task="t", task_path="", task_digest="", config={}, archive=settings, seed=0, secret="",
                           version="0"))
    for index in range(10**9):
        program = Program.of(f"def solve(x):\\n    return x + {index}\\n")
        proposed = Proposed(index=index, island=index % 2, files=dict(program.files), program=program.id, parents=(),
                            operator="mutate", proposer="test")
        journal.append(proposed)
        state.apply(proposed)
        evaluation = Evaluation(state=State.VALID, size="default", score=float(index % 17),
                                descriptors={"x": index % 10 / 10}, feedback="f" * 3000)
        evaluated = Evaluated(index=index, evaluation=evaluation)
        answers = state.apply(evaluated)
        journal.append(evaluated, *(Added(index=index, island=island, status=a.status, improvement=a.improvement,
                                          reason=a.reason, displaced=a.displaced) for island, a in answers))
        for move in state.archipelago.due():
            event = moved(index, move)
            journal.append(event)
            state.apply(event)
        print(index, flush=True)

run(Journal.create(Path(sys.argv[1]), *sys.argv[2:]))
"""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str | None:
    """Where the journal is kept, as ``Journal.create`` wants it."""
    return None if request.param == "sqlite" else request.getfixturevalue("database")


@contextlib.contextmanager
def writing(directory: Path, url: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process that writes a journal as fast as it can, and prints what it knows to be safe."""
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(directory), *([url] if url else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def confirmed(process: subprocess.Popen[str], count: int) -> int:
    """Read until ``count`` evaluations are confirmed; the last one's index."""
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= count:
            return int(line)
    raise AssertionError("the writer died")


def opened(directory: Path) -> contextlib.closing[Journal]:
    return contextlib.closing(Journal.open(directory, readonly=True))


@pytest.mark.parametrize("after", [0, 3, 57, 180])
def test_kill_9_loses_nothing_that_was_confirmed(tmp_path: Path, url: str | None, after: int) -> None:
    run = tmp_path / "run"
    with writing(run, url) as process:
        confirmed(process, after)
        time.sleep(0.003 * (after % 5))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        rest = [int(line) for line in process.stdout.read().split("\n")[:-1]]
    safe = rest[-1] if rest else after
    with contextlib.closing(Journal.open(run)) as journal:
        report = verify(journal)
        assert report.problems == ()
        state = replay(journal)
        assert state.evaluations in (safe + 1, safe + 2)
        assert len(state.pending) <= 1
        before = report.events
        assert journal.append(Resumed()) == before + 1
        assert [event.kind for _, _, event in journal.events(after=before)] == ["resumed"]


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path: Path, url: str | None) -> None:
    run = tmp_path / "run"
    with writing(run, url) as process:
        confirmed(process, 0)
        for attempt in (Journal.open, Journal.create):
            with pytest.raises(JournalError, match=f"in use by process {process.pid}"):
                attempt(run)
    Journal.open(run).close()


def test_readers_see_a_growing_prefix_while_the_writer_goes_on(tmp_path: Path, url: str | None) -> None:
    run = tmp_path / "run"
    with writing(run, url) as process:
        confirmed(process, 5)
        with opened(run) as journal:
            state, last = RunState(), 0
            for target in (20, 60):
                sure = confirmed(process, target)
                for seq, _, event in journal.events(after=last):
                    assert seq == last + 1
                    state.apply(event)
                    last = seq
                    if state.evaluations > 2 * sure + 100:
                        break
                assert state.evaluations > sure
            half_read = journal.events()
            next(half_read)
            confirmed(process, sure + 50)


def test_events_come_back_as_they_were_written(tmp_path: Path, url: str | None, scripted: Any) -> None:
    text = "naïve \u2028 \x00 \U0001f600"
    outcomes = [(State.VALID, 0.1 + 0.2, 1.0, float("inf")), None, (State.CRASHED, None, -1.0, 5e-324)]
    written = [*scripted.events(outcomes), Dropped(index=9, island=0, reason=text)]
    with contextlib.closing(Journal.create(tmp_path / "run", url)) as journal:
        assert journal.append(*written[:2]) == 2
        assert journal.append(*written[2:]) == len(written)
        assert journal.append() == len(written)
        assert [event for _, _, event in journal.events()] == written
    with opened(tmp_path / "run") as journal:
        assert [event for _, _, event in journal.events()] == written
        with pytest.raises(JournalError, match="reading only"):
            journal.append(Resumed())


def test_a_folder_with_a_run_is_not_overwritten(tmp_path: Path, url: str | None, scripted: Any) -> None:
    run = tmp_path / "run"
    with contextlib.closing(Journal.create(run, url)) as journal:
        journal.append(scripted.started())
    with contextlib.closing(Journal.create(run, url)) as journal:  # died before its first program: nothing is lost
        journal.append(scripted.started(), scripted.proposed(0))
    with pytest.raises(JournalError, match="already holds a run"):
        Journal.create(run, url)
    with opened(run) as journal:
        assert len(list(journal.events())) == 2


def test_what_is_no_run_is_refused_with_one_line(tmp_path: Path) -> None:
    assert not is_run(tmp_path)
    with pytest.raises(JournalError, match="holds no run"):
        Journal.open(tmp_path)
    (tmp_path / "journal.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(JournalError, match="damaged"):
        Journal.open(tmp_path, readonly=True)
    (tmp_path / "journal.db").write_bytes(b"")
    with pytest.raises(JournalError, match="before its run began"):
        Journal.open(tmp_path, readonly=True)


def test_another_format_is_refused(tmp_path: Path, url: str | None) -> None:
    Journal.create(tmp_path / "run", url).close()
    spoil(tmp_path / "run", "UPDATE schema SET format = 99, version = '7.0'")
    for readonly in (True, False):
        with pytest.raises(JournalError, match=r"speciate 7\.0 in format 99"):
            Journal.open(tmp_path / "run", readonly=readonly)


def test_a_reader_needs_no_write_permission(tmp_path: Path) -> None:
    """The run's folder is bound read-only, once with and once without a write-ahead log."""
    run = tmp_path / "run"
    with writing(run) as process:
        confirmed(process, 5)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (run / "journal.db-shm").unlink()
    count = "import sys; from pathlib import Path; from speciate.archive import *; "
    count += "print(len(list(Journal.open(Path(sys.argv[1]), readonly=True).events())))"
    shell = f'mount --bind -o ro "$0" "$0" 2>/dev/null || exit 77; exec {sys.executable} -c "$1" "$0"'
    command = ["unshare", "-Urm", "bash", "-c", shell, str(run), count]
    logged = subprocess.run(command, capture_output=True, text=True, check=False)
    if logged.returncode == 77 or "unshare" in logged.stderr:
        pytest.skip("no mount namespaces here")
    assert logged.returncode == 0, logged.stderr
    assert int(logged.stdout) > 12
    Journal.open(run).close()
    assert not (run / "journal.db-wal").exists()
    plain = subprocess.run(command, capture_output=True, text=True, check=False)
    assert plain.stdout == logged.stdout


def test_a_full_disk_says_so_and_loses_nothing(tmp_path: Path) -> None:
    run = tmp_path / "run"
    code = textwrap.dedent(WRITER).rpartition("\n\n")[0]
    code += (
        "\n\ntry:\n    run(Journal.create(Path(sys.argv[1])))\nexcept JournalError as error:\n    sys.exit(str(error))"
    )
    shell = 'mount -t tmpfs -o size=1m none "$0" || exit 77; "$2" -c "$1" "$0"/run; code=$?; cp -r "$0"/run "$3"; '
    shell += "exit $code"
    (tmp_path / "small").mkdir()
    command = ["unshare", "-Urm", "bash", "-c", shell, str(tmp_path / "small"), code, sys.executable, str(run)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77 or done.stderr.startswith("unshare"):
        pytest.skip("no mount namespaces here")
    assert done.returncode == 1
    assert "is full" in done.stderr
    assert "speciate resume" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    safe = int(done.stdout.split()[-1])
    with contextlib.closing(Journal.open(run)) as journal:
        assert verify(journal).problems == ()
        assert replay(journal).evaluations >= safe + 1


def spoil(run: Path, statement: str) -> None:
    """Change a journal behind our back."""
    with store_of(run).connect(readonly=False) as connection, connection.begin():
        assert connection.exec_driver_sql(statement).rowcount >= 1


def damaged(run: Path, statement: str) -> tuple[str, ...]:
    spoil(run, statement)
    with opened(run) as journal:
        report = verify(journal)
    assert not report.ok
    return report.problems


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM events WHERE seq = 4", "event 4 is missing"),
        (
            "UPDATE events SET payload = replace(payload, '\"score\":2.0', '\"score\":9.0') WHERE seq > 5",
            "its text is not",
        ),
        ("UPDATE events SET kind = 'resumed' WHERE seq = 2", "its text is not"),
        ("UPDATE events SET payload = replace(payload, 'return x + 1', 'return x - 1')", "does not have that hash"),
        ('UPDATE events SET payload = \'{"kind": "unheard"}\' WHERE seq = 3', "cannot be read"),
        ("DELETE FROM events WHERE kind = 'added' AND seq > 5", "is missing"),
        ("UPDATE events SET at = 0 WHERE seq = 1", "its text is not"),
    ],
)
def test_verify_finds_damage(tmp_path: Path, url: str | None, scripted: Any, statement: str, problem: str) -> None:
    outcomes = [(State.VALID, 1.0, 1.0, 1.0), (State.VALID, 2.0, 1.0, 1.0), (State.VALID, 3.0, 1.0, 1.0)]
    with contextlib.closing(Journal.create(tmp_path / "run", url)) as journal:
        journal.append(*scripted.events(outcomes))
        assert verify(journal).ok
    assert any(problem in line for line in damaged(tmp_path / "run", statement))


def test_verify_finds_a_live_archive_that_answered_otherwise(tmp_path: Path, scripted: Any) -> None:
    events = scripted.events([(State.VALID, 1.0, 1.0, 1.0), (State.VALID, 2.0, 1.0, 1.0)])
    last = max(number for number, event in enumerate(events) if event.kind == "added")
    events[last] = events[last].model_copy(update={"improvement": 5.0})
    with contextlib.closing(Journal.create(tmp_path / "run")) as journal:
        journal.append(*events)
        assert any("to the replay, not" in problem for problem in verify(journal).problems)


def test_an_append_costs_little_and_stays_flat(tmp_path: Path, url: str | None) -> None:
    """The goal is 0.3 ms of CPU for 5 KB; the bound here leaves room for a loaded machine."""
    event, costs = Dropped(index=0, island=0, reason="r" * 5000), []
    with contextlib.closing(Journal.create(tmp_path / "run", url)) as journal:
        for _ in range(3):
            began = time.process_time()
            for _ in range(1000):
                journal.append(event)
            costs.append((time.process_time() - began) / 1000)
    assert min(costs) < 1e-3


def test_a_damaged_journal_is_not_resumed(tmp_path: Path, url: str | None, scripted: Any) -> None:
    events = scripted.events([(State.VALID, 1.0, 1.0, 1.0), (State.VALID, 2.0, 1.0, 1.0)])
    with contextlib.closing(Journal.create(tmp_path / "run", url)) as journal:
        journal.append(*[event for event in events if event.kind != "proposed"])
    with opened(tmp_path / "run") as journal, pytest.raises(JournalError, match="out of order"):
        replay(journal)
    spoil(tmp_path / "run", "UPDATE events SET payload = '{}' WHERE seq = 1")
    with opened(tmp_path / "run") as journal, pytest.raises(JournalError, match=r"event 1 .* cannot be read"):
        replay(journal)
