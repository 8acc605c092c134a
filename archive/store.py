"""The journal's tables, and which database keeps those of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sqlalchemy import Column, Connection, Float, Integer, MetaData, Table, Text

from .places import ADDRESS
from .postgres import PostgresStore
from .sqlite import SqliteStore

metadata = MetaData()

schema = Table(
    "schema",
    metadata,
    Column("format", Integer, nullable=False),
    Column("version", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("chain", Text, nullable=False),
)
"""``seq`` counts from 1 without gaps; ``chain`` is a hash over this row and the one before."""


class Store(Protocol):
    """Keeps one journal. What it raises of the database's errors is explained by its user."""

    def connect(self, readonly: bool) -> Connection: ...

    def prepare(self, connection: Connection) -> None:
        """Before the tables are made, in the same transaction."""
        ...

    def claim(self, connection: Connection, conductor: int) -> None:
        """The right to be that conductor, as long as the connection lasts. Raises: JournalError where another has it.

        Called in a transaction.
        """
        ...

    def hold(self, connection: Connection) -> None:
        """Nobody else writes before the transaction, which has just begun, ends; others wait."""
        ...

    def remove(self) -> None:
        """All of it, after the connections have been closed."""
        ...


def new_store(directory: Path, url: str | None) -> Store:
    """For a run that begins; without ``url`` a file in its folder. Raises: JournalError."""
    return SqliteStore(directory) if url is None else PostgresStore.new(directory, url)


def store_of(directory: Path) -> Store:
    """Of the run in a folder. Raises: JournalError, OSError."""
    address = directory / ADDRESS
    return PostgresStore.named(address) if address.is_file() else SqliteStore(directory)
