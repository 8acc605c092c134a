"""The traces that a journal holds, in the view of a program."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from speciate.api import load_run, traced
from speciate.archive import Journal, Traced
from speciate.discovery import load_config
from speciate.discovery.run import start
from speciate.evaluators import load_task
from speciate.sandbox import Backend

from .test_snapshots import drawn

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that recorded what its baseline's lines did."""
    place = tmp_path_factory.mktemp("traced") / "run"
    start(str(LINEAR), load_config(None, budget__evaluations=1, workers=1, certify=False), place)
    state = load_run(place)
    baseline = state.baseline
    trace = traced(load_task(str(LINEAR)), state.program(baseline), b"secret", Backend.BUBBLEWRAP, None)
    with contextlib.closing(Journal.open(place)) as journal:
        journal.append(Traced(program=baseline, trace=trace))
    return place


def test_the_lines_that_led_to_the_output_are_shown_with_their_values(run: Path) -> None:
    shown = asyncio.run(drawn(run, 100, 40, ["b", "x"]))
    assert "what led to the output" in shown
    assert "x = array float64[8]" in shown
    assert "traced on the smoke instance vector0: valid" in shown
