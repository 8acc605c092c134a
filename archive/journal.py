"""Journal: the append-only record of a run, and its only store."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import __version__
from .events import FORMAT, Event, decode
from .failure import JournalError, explained
from .lock import Lock
from .places import ADDRESS, FILE, LOCK

if TYPE_CHECKING:
    from sqlalchemy import Connection, RootTransaction

    from .store import Store

PAGE = 500
"""Rows read at a time: a reader holds no transaction in between, so the writer can always tidy its log."""


class Row(NamedTuple):
    seq: int
    at: float
    kind: str
    payload: str
    chain: str


def is_run(directory: Path) -> bool:
    return any((directory / name).is_file() for name in (FILE, ADDRESS))


def link(previous: str, at: float, kind: str, payload: str) -> str:
    """The hash (hex) that chains a row to the one before."""
    return hashlib.blake2b(f"{previous}\0{at!r}\0{kind}\0{payload}".encode(), digest_size=16).hexdigest()


class Journal:
    """Events in the order in which they happened. Any number of readers; several conductors write it in turns.

    An event is safe from the death of the process once ``commit`` or ``append`` has returned. Close it after use.
    """

    def __init__(self, directory: Path, store: Store, connection: Connection, readonly: bool) -> None:
        from sqlalchemy import bindparam, insert, select

        from .store import events

        self.directory = directory
        self._store = store
        self._connection = connection
        self._readonly = readonly
        self._lock: Lock | None = None
        self._insert = insert(events)
        self._news = select(events).where(events.c.seq > bindparam("last")).order_by(events.c.seq)
        self._turn: RootTransaction | None = None
        self._last, self._chain = self._end()

    @classmethod
    def create(cls, directory: Path, url: str | None = None) -> Journal:
        """Begin a journal, in the folder or in the database at ``url``, as conductor 0; the folder is made where it
        does not exist.

        Raises: JournalError where the folder holds a run (but for one that died before its first program), or the
        database cannot be used.
        """
        from sqlalchemy import insert

        from . import store

        with explained(directory):
            directory.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as undo:
            lock = Lock(directory)
            undo.callback(lock.release)
            undo.callback(_tidy, directory)
            _clear(directory)
            with explained(directory):
                kept = store.new_store(directory, url)
                connection = undo.enter_context(kept.connect(readonly=False))
                with connection.begin():
                    kept.prepare(connection)
                    store.metadata.create_all(connection)
                    connection.execute(insert(store.schema), {"format": FORMAT, "version": __version__})
                    kept.claim(connection, 0)
            journal = cls(directory, kept, connection, readonly=False)
            journal._lock = lock
            undo.pop_all()
            return journal

    @classmethod
    def open(cls, directory: Path, readonly: bool = False, conductor: int | None = 0) -> Journal:
        """Open a run's journal, to go on with it as one of its conductors or only to read; with None as conductor the
        right is claimed later.

        Raises: JournalError where there is none, another process is that conductor, or another version wrote it.
        """
        from .store import store_of

        if not is_run(directory):
            raise JournalError(f"{directory} holds no run (neither {FILE} nor {ADDRESS} in it): give the folder of one")
        with contextlib.ExitStack() as undo:
            with explained(directory):
                store = store_of(directory)
                connection = undo.enter_context(store.connect(readonly))
                _check_format(directory, connection)
                journal = cls(directory, store, connection, readonly)
            if not readonly and conductor is not None:
                with explained(directory), connection.begin():
                    journal.claim(conductor)
            undo.pop_all()
            return journal

    def claim(self, conductor: int) -> None:
        """Be that conductor until it is closed; in a transaction. Raises: JournalError where another process is."""
        lock = Lock(self.directory, conductor)
        try:
            self._store.claim(self._connection, conductor)
        except BaseException:
            lock.release()
            raise
        self._lock = lock

    def begin(self) -> list[Event]:
        """Begin a turn: nobody else writes before ``commit``. Returns what others wrote since this one looked last.

        Raises: JournalError.
        """
        self._check_writable()
        with explained(self.directory):
            self._turn = self._connection.begin()
            try:
                self._store.hold(self._connection)
                rows = [Row(*row) for row in self._connection.execute(self._news, {"last": self._last})]
            except BaseException:
                self._give_up()
                raise
        if rows:
            self._last, self._chain = rows[-1].seq, rows[-1].chain
        return [self._decoded(row) for row in rows]

    def commit(self, *events: Event) -> int:
        """End the turn: write events, all of them or none. Returns the number of the last one.

        Raises: JournalError where the disk is full or the file cannot be written.
        """
        assert self._turn is not None
        at, seq, chain = time.time(), self._last, self._chain
        rows = []
        for event in events:
            payload = event.model_dump_json()
            seq, chain = seq + 1, link(chain, at, event.kind, payload)
            rows.append({"seq": seq, "at": at, "kind": event.kind, "payload": payload, "chain": chain})
        with explained(self.directory):
            try:
                if rows:
                    self._connection.execute(self._insert, rows)
                self._turn.commit()
            except BaseException:
                self._give_up()
                raise
        self._turn = None
        self._last, self._chain = seq, chain
        return self._last

    def _give_up(self) -> None:
        """End the turn and write nothing."""
        if self._turn is not None:
            self._turn.rollback()
            self._turn = None

    def _check_writable(self) -> None:
        if self._readonly:
            raise JournalError(f"the journal of {self.directory} was opened for reading only")
        if self._connection.invalidated:
            # A new one would not have the right to write, which another process may have by now.
            raise JournalError(
                f"the connection to the journal of {self.directory} was lost: go on with "
                f"'speciate resume {self.directory}'"
            )

    def append(self, *events: Event) -> int:
        """A turn in which nothing that others wrote matters, since there are no others.

        Raises: JournalError, also where there were.
        """
        if self.begin():
            self._give_up()
            raise JournalError(f"another process writes to the run of {self.directory}: wait for it or stop it")
        return self.commit(*events)

    def events(self, after: int = 0) -> Iterator[tuple[int, float, Event]]:
        """(number, seconds since 1970, event) of every event after number ``after``, those written meanwhile too.

        Raises: JournalError for a row that is no event.
        """
        for row in self.rows(after):
            if row.seq > self._last and not self._readonly:  # it will not be news
                self._last, self._chain = row.seq, row.chain
            yield row.seq, row.at, self._decoded(row)

    def _decoded(self, row: Row) -> Event:
        try:
            return decode(row.payload)
        except ValueError:
            raise JournalError(
                f"event {row.seq} of {self.directory} cannot be read: 'speciate verify {self.directory}' says more"
            ) from None

    def rows(self, after: int = 0) -> Iterator[Row]:
        """As ``events``, undecoded."""
        while page := self._page(after):
            yield from page
            after = page[-1].seq

    def _page(self, after: int) -> Sequence[Row]:
        from sqlalchemy import select

        from .store import events

        query = select(events).where(events.c.seq > after).order_by(events.c.seq).limit(PAGE)
        with explained(self.directory), self._connection.begin():
            return [Row(*row) for row in self._connection.execute(query)]

    def _end(self) -> tuple[int, str]:
        from sqlalchemy import select

        from .store import events

        query = select(events.c.seq, events.c.chain).order_by(events.c.seq.desc()).limit(1)
        with explained(self.directory), self._connection.begin():
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
        with explained(self.directory):
            self._store.remove()
        _tidy(self.directory)
        self.close()

    def _disconnect(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()

    def close(self) -> None:
        self._disconnect()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


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


def _tidy(directory: Path) -> None:
    """Leave no folder behind in which no run began, but for what others have put there."""
    if not is_run(directory):
        with contextlib.suppress(OSError):
            (directory / LOCK).unlink(missing_ok=True)
            directory.rmdir()


def _clear(directory: Path) -> None:
    """Remove what a run that died before its first program has left."""
    from .store import store_of

    if not is_run(directory):
        return
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        if any(row.kind == "proposed" for row in journal.rows()):
            raise JournalError(f"{directory} already holds a run: go on with 'speciate resume {directory}'")
    with explained(directory):
        store_of(directory).remove()
