"""What the screens look like, as text: compared with tests/tui/snapshots, written anew with SNAPSHOTS=write.

Text and not SVG, so that a new version of Textual that draws the same characters changes nothing here.
"""

import asyncio
import os
from pathlib import Path

import pytest

from speciate.tui.app import open_browser
from speciate.tui.screens.run import RunScreen

SNAPSHOTS = Path(__file__).parent / "snapshots"

VIEWS = {
    "overview": (80, 24, ["1"]),
    "overview-wide": (140, 40, ["1"]),
    "programs": (80, 24, ["2", "s", "down", "enter"]),
    "programs-wide": (140, 24, ["2"]),
    "archive": (80, 24, ["3"]),
    "archive-all": (120, 30, ["3", "a"]),
    "program": (80, 24, ["b"]),
    "program-diff": (80, 24, ["b", "d"]),
    "program-evaluation": (80, 24, ["b", "v"]),
    "lineage": (80, 24, ["b", "5"]),
    "events": (80, 24, ["6", "down", "down", "down"]),
    "proposals": (80, 24, ["7", "down"]),
    "help": (80, 24, ["3", "question_mark"]),
    "filter": (80, 24, ["2", "f"]),
}


async def drawn(journal: Path, width: int, height: int, keys: list[str]) -> str:
    app = open_browser(journal)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, RunScreen)
        while not screen.loaded:
            await pilot.pause(0.02)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        for _ in range(3):
            await pilot.pause()
        lines = app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines) + "\n"


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_looks_as_it_did(name: str, journal: Path) -> None:
    text = asyncio.run(drawn(journal, VIEWS[name][0], VIEWS[name][1], VIEWS[name][2]))
    kept = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("SNAPSHOTS") == "write":
        SNAPSHOTS.mkdir(exist_ok=True)
        kept.write_text(text)
    assert text.splitlines() == kept.read_text().splitlines()
