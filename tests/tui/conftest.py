"""Journals that the machinery of a run writes from scripted outcomes, with times that are always the same."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from speciate.archive import Journal, Proposed
from speciate.benchmarks.browsing import events, written
from speciate.discovery.events import repeated_event

EPOCH = 1_790_000_000.0
PROGRAMS = 150


@pytest.fixture(scope="session")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 150 programs on 3 islands. Nothing may change it."""
    times = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("speciate.archive.journal.time.time", lambda: EPOCH + 0.2 * next(times))
        return written(tmp_path_factory.mktemp("runs") / "balanced", PROGRAMS, islands=3)


@pytest.fixture
def repeating(tmp_path: Path) -> tuple[Path, Proposed]:
    """A run at work whose last program was dropped after it had been proposed, as those are that repeat another one."""
    batches = list(events(40, finished=False))
    last = next(n for n in range(len(batches) - 1, 0, -1) if isinstance(batches[n][0], Proposed))
    proposed = batches[last][0]
    assert isinstance(proposed, Proposed)
    with contextlib.closing(Journal.create(tmp_path / "run")) as journal:
        journal.append(*(event for batch in batches[: last + 1] for event in batch))
        journal.append(repeated_event(proposed, "0" * 12))
    return tmp_path / "run", proposed


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
