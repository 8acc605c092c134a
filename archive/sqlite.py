"""A journal in a file of the run's folder: SQLite."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from .places import FILE

WAIT_MS = 60_000
"""For another conductor's turn to end."""


class SqliteStore:
    """Conductors of one machine only: what holds them apart are locks of the folder, and of SQLite for each write."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / FILE

    def connect(self, readonly: bool) -> Connection:
        return (_reader if readonly else _writer)(self._file).connect()

    def prepare(self, connection: Connection) -> None:
        """The file is made by the first table."""

    def claim(self, connection: Connection, conductor: int) -> None:
        """The folder's lock is enough."""

    def hold(self, connection: Connection) -> None:
        """A writer's transactions are immediate."""

    def remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._file.with_name(FILE + suffix).unlink(missing_ok=True)


def _writer(file: Path) -> Engine:
    """An engine whose commits survive the death of the process (WAL, synchronous NORMAL)."""
    engine = create_engine(URL.create("sqlite", database=str(file)), poolclass=StaticPool)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # else sqlite3 begins transactions by itself, and later
        connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _reader(file: Path) -> Engine:
    """An engine that only reads, beside a writer at work, and also where the folder is not writable."""
    return create_engine("sqlite://", creator=lambda: _connect_readonly(file), poolclass=StaticPool)


def _connect_readonly(file: Path) -> sqlite3.Connection:
    try:
        connection = _open(file, "mode=ro")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        return _connect_without_shared_memory(file)
    return connection


def _connect_without_shared_memory(file: Path) -> sqlite3.Connection:
    """For a folder in which SQLite cannot make its -shm file: what is not yet in the main file needs a copy."""
    log = file.with_name(file.name + "-wal")
    if not log.exists() or log.stat().st_size == 0:
        return _open(file, "mode=ro&immutable=1")
    with tempfile.TemporaryDirectory() as scratch:
        for source in (file, log):
            shutil.copyfile(source, Path(scratch) / source.name)
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        with sqlite3.connect(Path(scratch) / file.name) as copy:
            copy.backup(connection)
        copy.close()
    return connection


def _open(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True, check_same_thread=False)
