"""Journals that the machinery of a run writes from scripted outcomes, with times that are always the same."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from speciate.benchmarks.browsing import written

EPOCH = 1_790_000_000.0
PROGRAMS = 150


@pytest.fixture(scope="session")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 150 programs on 3 islands. Nothing may change it."""
    times = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("speciate.archive.journal.time.time", lambda: EPOCH + 0.2 * next(times))
        return written(tmp_path_factory.mktemp("runs") / "balanced", PROGRAMS, islands=3)


@pytest.fixture(scope="session", autouse=True)
def plain_environment() -> Iterator[None]:
    """Times and colours do not depend on whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        patch.delenv("NO_COLOR", raising=False)
        import time

        time.tzset()
        yield
    time.tzset()
