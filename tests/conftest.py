"""What holds for every test; a PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Tests run beside each other: threads of their own would only get into each other's way.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# How long an example takes depends on what else the machine does; speed has benchmarks of its own.
settings.register_profile("speciate", deadline=None)
settings.load_profile("speciate")


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
