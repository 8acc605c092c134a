"""A journal on a PostgreSQL server, where one database holds many runs, each in a schema of its own."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from .failure import JournalError
from .places import ADDRESS

_EXAMPLE = "write it as postgresql://USER@HOST/DATABASE"
_DRIVER = "postgresql+psycopg"
_CONNECT_SECONDS = 10


class PostgresStore:
    """Each conductor, on whichever machine, holds a lock that the server takes back when the connection ends."""

    def __init__(self, url: URL, schema: str, file: Path) -> None:
        self._url = url
        self._schema = schema
        self._file = file

    @classmethod
    def new(cls, directory: Path, url: str) -> PostgresStore:
        """For a run that begins. Raises: JournalError."""
        return cls(_parsed(url), f"speciate_{secrets.token_hex(8)}", directory / ADDRESS)

    @classmethod
    def named(cls, file: Path) -> PostgresStore:
        """The one that a run's folder names. Raises: JournalError, OSError."""
        url, sign, schema = file.read_text(encoding="utf-8").strip().rpartition("#")
        if not sign or not schema.isidentifier():
            raise JournalError(f"{file} does not name a journal: it must be one line, URL#SCHEMA")
        return cls(_parsed(url), schema, file)

    def connect(self, readonly: bool) -> Connection:
        """Raises: JournalError where the driver is missing."""
        name = f"speciate {socket.gethostname()} process {os.getpid()}"
        settings = f"-c search_path={self._schema}"
        if readonly:
            settings += " -c default_transaction_read_only=on"
        arguments = {"options": settings, "application_name": name[:63], "connect_timeout": _CONNECT_SECONDS}
        try:
            return create_engine(self._url, connect_args=arguments, poolclass=NullPool).connect()
        except ModuleNotFoundError:
            raise JournalError("a journal on PostgreSQL needs psycopg: pip install 'speciate[postgres]'") from None

    def prepare(self, connection: Connection) -> None:
        """Make the schema, and let the folder name it."""
        connection.execute(text(f"CREATE SCHEMA {self._schema}"))
        self._file.touch(mode=0o600)
        self._file.write_text(f"{self._url.render_as_string(hide_password=False)}#{self._schema}\n", encoding="utf-8")

    def claim(self, connection: Connection, conductor: int) -> None:
        """Raises: JournalError where another process is that conductor."""
        key = self._key(str(conductor))
        if connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            return
        holder = connection.scalar(
            text(
                "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "
                "WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = :key"
            ),
            {"key": key},
        )
        raise JournalError(f"the run's journal is in use by {holder or 'another process'}: wait for it or stop it")

    def hold(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self._key("write")})

    def _key(self, purpose: str) -> int:
        """Of an advisory lock, which all runs of a database share."""
        name = f"{self._schema} {purpose}".encode()
        return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)

    def remove(self) -> None:
        """The schema too, where there is one yet."""
        with create_engine(self._url, poolclass=NullPool).begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE"))
        self._file.unlink(missing_ok=True)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise JournalError(f"'{url}' is no URL of a database: {_EXAMPLE}") from None
    if parsed.drivername not in ("postgresql", _DRIVER):
        raise JournalError(f"no journal can be kept in '{parsed.drivername}': {_EXAMPLE}")
    return parsed.set(drivername=_DRIVER)
