"""People who answer in a model's place, by files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from speciate.agents.llm.inbox import ANSWER, SETTLED_SECONDS, settled_answer
from speciate.archive import Proposed, Replied
from speciate.discovery.run import start
from speciate.discovery.setup import run_config

from .model import diff, factor_of
from .test_runs import LINEAR, count, events, programs, story


def answer(place: Path) -> None:
    """As a careful person would: under another name first."""
    now = float(factor_of((place / "program.py").read_text()))
    number = int(place.name.partition("-")[0])
    scratch = place / "draft.md"
    scratch.write_text(diff(f"FACTOR = {now}", f"FACTOR = {now + 0.01 * (number + 1):.4f}"))
    scratch.rename(place / ANSWER)


def waiting(inbox: Path) -> list[Path]:
    found = [place for place in sorted(inbox.glob("*-*")) if (place / "status.json").exists()]
    return [place for place in found if json.loads((place / "status.json").read_text())["state"] == "open"]


@contextmanager
def person(inbox: Path) -> Iterator[None]:
    """Answers what lies in the inbox until the test is over."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.05):
            for place in waiting(inbox):
                if not (place / ANSWER).exists():
                    answer(place)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def inbox_run(directory: Path, **values: Any) -> Any:
    options = {"proposer": "inbox", "workers": 1, "seed": 0, "certify": False, "inbox__poll_seconds": 0.1} | values
    return start(str(LINEAR), run_config(None, (), **options), directory)


def test_a_person_is_a_model_and_can_be_replayed(tmp_path: Path) -> None:
    with person(tmp_path / "run" / "inbox"):
        outcome = inbox_run(tmp_path / "run", budget__evaluations=8)
    assert outcome.score is not None
    assert outcome.score > 0
    assert (outcome.tokens, outcome.usd, outcome.unpriced_tokens) == (0, 0.0, 0)
    first = tmp_path / "run" / "inbox" / "000001-0"
    assert {"prompt.md", "expected.md", "program.py", "answer.md", "status.json"} <= {p.name for p in first.iterdir()}
    assert "# Instruction" in (first / "prompt.md").read_text()
    assert json.loads((first / "status.json").read_text())["state"] == "answered"
    again = start(str(LINEAR), run_config(None, replay=tmp_path / "run"), tmp_path / "again")
    assert again.evaluations == 8
    assert story(tmp_path / "again") == story(tmp_path / "run")
    assert not (tmp_path / "again" / "inbox").exists()


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "speciate", *map(str, arguments), "--json"]


def test_questions_lie_open_while_the_run_is_away(tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = ("--proposer", "inbox", "--evaluations", 4, "--workers", 1, "--set", "certify=false")
    with subprocess.Popen(
        command("run", LINEAR, *options, "--out", run)[:-1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 90
        while len(waiting(run / "inbox")) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(30) == 130
    assert f"questions will lie in {run}/inbox" in said
    lying = waiting(run / "inbox")
    prompts = {place.name: (place / "prompt.md").read_text() for place in lying}
    assert len(lying) == 3
    for place in lying:
        answer(place)
    time.sleep(SETTLED_SECONDS)
    done = subprocess.run(command("resume", run), check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["evaluations"] == 4
    assert [index for index, _ in programs(run)] == [0, 1, 2, 3]
    assert {place.name: (place / "prompt.md").read_text() for place in lying} == prompts
    assert count(run, Replied) == 3
    assert all(event.usd == 0 for event in events(run) if isinstance(event, Proposed) and event.model)


def test_an_answer_is_read_when_it_has_been_left_alone(tmp_path: Path) -> None:
    assert settled_answer(tmp_path) is None
    (tmp_path / ANSWER).write_text("")
    os.utime(tmp_path / ANSWER, (0, 0))
    assert settled_answer(tmp_path) is None
    (tmp_path / ANSWER).write_text("half an ans")
    assert settled_answer(tmp_path) is None
    time.sleep(SETTLED_SECONDS)
    assert settled_answer(tmp_path) == "half an ans"


def test_a_question_that_nobody_answers_is_closed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = ("--proposer", "inbox", "--evaluations", 4, "--set", "inbox.timeout_seconds=0.5", "--out", run)
    done = subprocess.run(command("run", LINEAR, *options), check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "answer.md" in done.stderr
    assert "speciate resume" in done.stderr
    states = {json.loads(file.read_text())["state"] for file in (run / "inbox").glob("*/status.json")}
    assert "closed" in states
