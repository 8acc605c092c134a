"""Journal: the append-only record of a run, and its only store."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import __version__
from .events import FORMAT, Event, decode

if TYPE_CHECKING:
    from sqlalchemy import Connection

JOURNAL = "journal.db"
LOCK = "lock"
PAGE = 500
"""Rows read at a time: a reader holds no transaction in between, so the writer can always tidy its log."""


class JournalError(Exception):
    """A journal that cannot be used; one line that says what to do."""


class Row(NamedTuple):
    seq: int
    at: float
    kind: str
    payload: str
    chain: str


def is_run(directory: Path) -> bool:
    return (directory / JOURNAL).is_file()


def link(previous: str, at: float, kind: str, payload: str) -> str:
    """The hash (hex) that chains a row to the one before."""
    return hashlib.blake2b(f"{previous}\0{at!r}\0{kind}\0{payload}".encode(), digest_size=16).hexdigest()


class Journal:
    """Events in the order in which they happened. One writer at a time, any number of readers.

    An event is safe from the death of the process once ``append`` has returned. Close it after use.
    """

    def __init__(self, directory: Path, connection: Connection, lock: Lock | None) -> None:
        from sqlalchemy import insert

        from . import store

        self.directory = directory
        self._connection = connection
        self._lock = lock
        self._insert = insert(store.events)
        self._last, self._chain = self._end()

    @classmethod
    def create(cls, directory: Path) -> Journal:
        """Begin a journal; the folder is made where it does not exist.

        Raises: JournalError where the folder holds a run (but for one that died before its first program).
        """
        from sqlalchemy import insert

        from . import store

        with _explained(directory):
            directory.mkdir(parents=True, exist_ok=True)
        lock = Lock(directory)
        try:
            _clear(directory)
            with _explained(directory):
                connection = store.writer(directory / JOURNAL).connect()
                with connection.begin():
                    store.metadata.create_all(connection)
                    connection.execute(insert(store.schema), {"format": FORMAT, "version": __version__})
            return cls(directory, connection, lock)
        except JournalError:
            lock.release()
            raise

    @classmethod
    def open(cls, directory: Path, readonly: bool = False) -> Journal:
        """Open a run's journal, to go on with it or only to read.

        Raises: JournalError where there is none, another process writes it, or another version wrote it.
        """
        from . import store

        if not is_run(directory):
            raise JournalError(f"{directory} holds no run (no {JOURNAL} in it): give the folder of one")
        lock = None if readonly else Lock(directory)
        try:
            with _explained(directory):
                engine = (store.reader if readonly else store.writer)(directory / JOURNAL)
                connection = engine.connect()
                _check_format(directory, connection)
                return cls(directory, connection, lock)
        except JournalError:
            if lock is not None:
                lock.release()
            raise

    def append(self, *events: Event) -> int:
        """Write events in one transaction: all of them or none. Returns the number of the last one.

        Raises: JournalError where the disk is full or the file cannot be written.
        """
        if self._lock is None:
            raise JournalError(f"the journal of {self.directory} was opened for reading only")
        at, seq, chain = time.time(), self._last, self._chain
        rows = []
        for event in events:
            payload = event.model_dump_json()
            seq, chain = seq + 1, link(chain, at, event.kind, payload)
            rows.append(Row(seq, at, event.kind, payload, chain)._asdict())
        if rows:
            with _explained(self.directory), self._connection.begin():
                self._connection.execute(self._insert, rows)
            self._last, self._chain = seq, chain
        return self._last

    def events(self, after: int = 0) -> Iterator[tuple[int, float, Event]]:
        """(number, seconds since 1970, event) of every event after number ``after``, those written meanwhile too.

        Raises: JournalError for a row that is no event.
        """
        for row in self.rows(after):
            try:
                event = decode(row.payload)
            except ValueError:
                raise JournalError(
                    f"event {row.seq} of {self.directory} cannot be read: 'speciate verify {self.directory}' says more"
                ) from None
            yield row.seq, row.at, event

    def rows(self, after: int = 0) -> Iterator[Row]:
        """As ``events``, undecoded."""
        while page := self._page(after):
            yield from page
            after = page[-1].seq

    def _page(self, after: int) -> Sequence[Row]:
        from sqlalchemy import select

        from .store import events

        query = select(events).where(events.c.seq > after).order_by(events.c.seq).limit(PAGE)
        with _explained(self.directory), self._connection.begin():
            return [Row(*row) for row in self._connection.execute(query)]

    def _end(self) -> tuple[int, str]:
        from sqlalchemy import select

        from .store import events

        query = select(events.c.seq, events.c.chain).order_by(events.c.seq.desc()).limit(1)
        with _explained(self.directory), self._connection.begin():
            row = self._connection.execute(query).first()
        return (row.seq, row.chain) if row else (0, "")

    @property
    def last(self) -> int:
        """Number of the last event when it was opened or written by this process; 0 where there is none."""
        return self._last

    @property
    def is_empty(self) -> bool:
        return self._last == 0

    def discard(self) -> None:
        """Close it and remove its files, and the folder where nothing else is in it."""
        self._disconnect()
        for name in (JOURNAL, JOURNAL + "-wal", JOURNAL + "-shm", LOCK):
            (self.directory / name).unlink(missing_ok=True)
        self.close()
        with contextlib.suppress(OSError):
            self.directory.rmdir()

    def _disconnect(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()

    def close(self) -> None:
        self._disconnect()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class Lock:
    """The right to write a run; the kernel takes it back when the process dies, however it dies."""

    def __init__(self, directory: Path) -> None:
        path = directory / LOCK
        with _explained(directory):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise JournalError(
                f"{directory} is in use by process {holder}: wait for it or stop it (kill {holder})"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._descriptor)


def _check_format(directory: Path, connection: Connection) -> None:
    from sqlalchemy import inspect, select

    from .store import schema

    with connection.begin():
        known = inspect(connection).has_table(schema.name)
        row = connection.execute(select(schema)).first() if known else None
    if row is None:
        raise JournalError(f"{directory} was stopped before its run began: start it again with 'speciate run'")
    if row.format != FORMAT:
        raise JournalError(
            f"{directory} was written by speciate {row.version} in format {row.format}, this is speciate {__version__} "
            f"with format {FORMAT}: open it with that version"
        )


def _clear(directory: Path) -> None:
    """Remove what a run that died before its first program has left."""
    if not is_run(directory):
        return
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        if any(row.kind == "proposed" for row in journal.rows()):
            raise JournalError(f"{directory} already holds a run: go on with 'speciate resume {directory}'")
    for suffix in ("", "-wal", "-shm"):
        (directory / (JOURNAL + suffix)).unlink(missing_ok=True)


@contextlib.contextmanager
def _explained(directory: Path) -> Iterator[None]:
    """Turn what the database or the disk says into one line for the user."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise JournalError(_explanation(directory, str(error.orig))) from error
    except OSError as error:
        raise JournalError(_explanation(directory, error.strerror or str(error))) from error


def _explanation(directory: Path, said: str) -> str:
    low = said.lower()
    if "not a database" in low or "malformed" in low:
        return f"the journal of {directory} is damaged ({said}): restore it from a copy"
    if "full" in low or "no space" in low or "disk i/o" in low:
        return (
            f"the disk of {directory} is full ({said}); nothing recorded so far was lost: "
            f"free some space, then go on with 'speciate resume {directory}'"
        )
    return f"cannot use the journal of {directory}: {said}"
