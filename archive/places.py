"""What a run's folder holds of its journal."""

FILE = "journal.db"
"""The journal itself, where it is SQLite's."""

ADDRESS = "journal.url"
"""Where it is kept else: server, database and schema, as URL#SCHEMA. It may hold a password."""

LOCK = "lock"
"""Held by the process that writes the run; each further conductor has one of its own."""


def lock_name(conductor: int) -> str:
    return f"{LOCK}.{conductor}" if conductor else LOCK
