"""A large run opens at once: what is measured, and that the cost of a key does not grow with the run."""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from speciate.archive import Journal, replay, verify
from speciate.benchmarks.browsing import opened, written
from speciate.tui.app import open_browser
from speciate.tui.screens.programs import ProgramsPane
from speciate.tui.screens.run import RunScreen

LINES = 24


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("large") / "run", 1200)


def test_the_journal_is_one_that_a_run_could_have_written(run: Path) -> None:
    journal = Journal.open(run, readonly=True)
    report = verify(journal)
    journal.close()
    assert report.ok, report.problems
    assert report.evaluations == 1200


def test_it_is_opened_and_measured_in_a_process_of_its_own(run: Path) -> None:
    found = opened(run)
    assert found.programs == 1200
    assert 0 < found.cpu_seconds <= found.wall_seconds + 0.5
    assert found.line_ms > 0


def test_a_key_draws_only_what_is_in_sight(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    cells = ProgramsPane.cells
    monkeypatch.setattr(ProgramsPane, "cells", lambda pane, key: drawn.append(key) or cells(pane, key))

    async def body() -> None:
        app = open_browser(run)
        async with app.run_test(size=(80, LINES)) as pilot:
            screen = app.screen
            assert isinstance(screen, RunScreen)
            while not screen.loaded:
                await pilot.pause(0.02)
            await pilot.press("2")
            await pilot.pause()
            drawn.clear()
            await pilot.press("down")
            await pilot.pause()
            assert 0 < len(drawn) <= 2 * LINES
            drawn.clear()
            await pilot.press("end")
            await pilot.pause()
            assert 0 < len(drawn) <= 4 * LINES

    asyncio.run(body())


@pytest.mark.slow
def test_opening_costs_little_beside_the_replay_of_the_journal(tmp_path: Path) -> None:
    """A ratio within one run, since seconds say more about the machine; docs/tui.md says how to measure those."""
    run = written(tmp_path / "run", 10_000)
    ratios = []
    for _ in range(3):
        began = time.process_time()
        with contextlib.closing(Journal.open(run, readonly=True)) as journal:
            assert replay(journal).evaluations == 10_000
        ratios.append(opened(run).cpu_seconds / (time.process_time() - began))
    assert min(ratios) < 3.0, ratios
