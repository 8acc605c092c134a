"""What is PostgreSQL's own: which database it is, writers on several machines, a server that goes away; whole runs."""

from __future__ import annotations

import contextlib
import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from speciate.archive import Journal, JournalError, Resumed, is_run, verify

TOY = Path(__file__).parent.parent / "toy_tasks" / "linear"


def begun(directory: Path, database: str, scripted: Any) -> Path:
    with contextlib.closing(Journal.create(directory, database)) as journal:
        journal.append(scripted.started(), scripted.proposed(0))
    return directory


def schemas(database: str) -> set[str]:
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'speciate%'").fetchall()
    return {name for (name,) in rows}


def test_the_folder_names_the_journal_to_its_owner_only(tmp_path: Path, database: str, scripted: Any) -> None:
    run = begun(tmp_path / "run", database, scripted)
    assert is_run(run)
    assert sorted(path.name for path in run.iterdir()) == ["journal.url", "lock"]
    assert stat.S_IMODE((run / "journal.url").stat().st_mode) == 0o600
    other = begun(tmp_path / "other", database, scripted)
    assert (run / "journal.url").read_text() != (other / "journal.url").read_text()


def test_a_writer_on_another_machine_is_refused(tmp_path: Path, database: str, scripted: Any) -> None:
    """Another folder has another lock: the server's own holds it off, and lets it in when the first one ends."""
    run = begun(tmp_path / "run", database, scripted)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(run / "journal.url", elsewhere)
    with contextlib.closing(Journal.open(run)) as first:
        first.append(Resumed())
        with pytest.raises(JournalError, match=r"in use by speciate .* process \d+: wait"):
            Journal.open(elsewhere)
        with contextlib.closing(Journal.open(elsewhere, readonly=True)) as reader:
            assert reader.last == 3
    with contextlib.closing(Journal.open(elsewhere)) as second:
        assert second.append(Resumed()) == 4
    with contextlib.closing(Journal.open(run, readonly=True)) as reader:
        assert [event.kind for _, _, event in reader.events()] == ["run_started", "proposed", "resumed", "resumed"]


def test_a_writer_whose_connection_broke_never_writes_again(tmp_path: Path, database: str, scripted: Any) -> None:
    """The server has given its right to another one: what it wrote then would be lost or written twice."""
    run = begun(tmp_path / "run", database, scripted)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(run / "journal.url", elsewhere)
    with contextlib.closing(Journal.open(run)) as first:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'speciate%'"
            )
        with contextlib.closing(Journal.open(elsewhere)) as second:
            for words in ("cannot use the journal", "was lost: go on with"):
                with pytest.raises(JournalError, match=words):
                    first.append(Resumed())
            assert second.append(Resumed()) == 3
    with contextlib.closing(Journal.open(run, readonly=True)) as reader:
        assert reader.last == 3


def test_a_reader_cannot_write(tmp_path: Path, database: str, scripted: Any) -> None:
    run = begun(tmp_path / "run", database, scripted)
    with contextlib.closing(Journal.open(run, readonly=True)) as reader, pytest.raises(JournalError, match="reading"):
        reader.append(Resumed())


def test_a_run_that_never_began_leaves_nothing(tmp_path: Path, database: str) -> None:
    before = schemas(database)
    journal = Journal.create(tmp_path / "run", database)
    assert len(schemas(database)) == len(before) + 1
    journal.discard()
    assert schemas(database) == before
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://somebody@db/speciate", "no journal can be kept in 'mysql'"),
        ("nonsense", "is no URL"),
        ("postgresql://somebody:secret@127.0.0.1:1/speciate", "cannot use the journal .* refused"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_without_the_password(url: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=words) as failure:
        Journal.create(tmp_path / "run", url)
    assert "secret" not in str(failure.value)
    assert "\n" not in str(failure.value)
    assert not (tmp_path / "run").exists()


def speciate(*words: str | Path) -> Any:
    command = [sys.executable, "-m", "speciate", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_every_command_reads_a_run_that_is_kept_there(tmp_path: Path, database: str) -> None:
    run, local = tmp_path / "run", tmp_path / "local"
    options = ("--evaluations", "12", "--seed", "1", "--workers", "1")
    found = speciate("run", TOY, *options, "--out", run, "--journal", database)
    assert found["best"] == speciate("run", TOY, *options, "--out", local)["best"]
    assert not (run / "journal.db").exists()
    assert speciate("verify", run)["ok"]
    assert speciate("show", run)
    assert speciate("show", run, found["best"]["program"])["program"] == found["best"]["program"]
    assert [one["run"] for one in speciate("runs", tmp_path)] == [str(local), str(run)]
    page = tmp_path / "page.html"
    assert speciate("report", run, "-o", page)
    assert page.stat().st_size > 10_000
    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        assert verify(journal).problems == ()
