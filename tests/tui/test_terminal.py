"""The browser in a real terminal: tmux starts a run, follows it, and types."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"
PATIENCE = 90.0
"""Seconds; a busy machine takes long to start Python."""

pytestmark = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="NOT TESTED in a real terminal: tmux is missing (apt-get install tmux)"
)


class Terminal:
    """A terminal of 80 by 24 in a tmux server of its own."""

    def __init__(self, command: str, directory: Path, **environment: str) -> None:
        self._socket = f"speciate-{uuid.uuid4().hex[:8]}"
        settings = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]
        self._tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", str(directory), *settings, command)

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, "-f", "/dev/null", *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout

    def seen(self, escapes: bool = False) -> str:
        return self._tmux("capture-pane", "-p", *(["-e"] if escapes else []))

    def type(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def until(self, holds: Callable[[str], object]) -> str:
        """What is seen, once ``holds`` is true of it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            text = self.seen()
            if holds(text):
                return text
            time.sleep(0.1)
        raise AssertionError(f"not seen within {PATIENCE} s:\n{self.seen()}")

    def close(self) -> None:
        self._tmux("kill-server")


@contextlib.contextmanager
def terminal(command: str, directory: Path, **environment: str) -> Iterator[Terminal]:
    one = Terminal(command, directory, **environment)
    try:
        yield one
    finally:
        one.close()


def speciate(*arguments: object) -> str:
    return shlex.join([sys.executable, "-m", "speciate", *map(str, arguments)])


def evaluations(text: str) -> int:
    """The number in the line above everything."""
    found = re.search(r"(\d+) evaluations", text.partition("\n")[0])
    return int(found[1]) if found else -1


def test_a_run_is_followed_while_it_goes_on_and_the_run_does_not_notice(tmp_path: Path) -> None:
    place = tmp_path / "live"
    command = [sys.executable, "-m", "speciate", "run", str(LINEAR), "--evaluations", "400", "--seed", "1"]
    with subprocess.Popen([*command, "--out", str(place), "--json"], stdout=subprocess.PIPE, text=True) as run:
        try:
            end = time.monotonic() + PATIENCE
            while not (place / "journal.db").is_file() and time.monotonic() < end:
                time.sleep(0.05)
            with terminal(speciate("tui", place), tmp_path) as shown:
                first = evaluations(shown.until(lambda text: "● running" in text and evaluations(text) > 1))
                shown.until(lambda text: evaluations(text) > first)
                shown.type("2")
                shown.until(lambda text: "by order of proposal" in text)
                shown.type("b")
                shown.until(lambda text: "def solve" in text)
                shown.until(lambda text: "ended: evaluations" in text and evaluations(text) >= 400)
                shown.type("Escape")
                shown.until(lambda text: "1 run" in text and "400/400" in text)
                shown.type("q")
        finally:
            run.wait(PATIENCE)
    assert run.returncode == 0
    verified = subprocess.run(speciate("verify", place), shell=True, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stderr


def test_without_colours_no_colour_is_sent_and_the_cursor_can_be_seen(journal: Path) -> None:
    with terminal(speciate("tui", journal), journal.parent, NO_COLOR="1", COLORTERM="") as shown:
        shown.until(lambda text: "150 evaluations" in text)
        shown.type("2", "Down")
        shown.until(lambda text: "150 programs" in text)
        time.sleep(0.5)
        text = shown.seen(escapes=True)
    sent = set(re.findall(r"\x1b\[([\d;]*)m", text))
    colours = {code for codes in sent for code in codes.split(";") if code and 30 <= int(code) <= 48}
    assert not colours - {"39"}, colours
    assert any("7" in codes.split(";") for codes in sent), "the row under the cursor is reversed"


def test_it_says_that_it_needs_a_terminal(journal: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "speciate", "tui", str(journal)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["missing", "empty", "file", "version", "damaged"])
def test_a_folder_that_cannot_be_browsed_is_one_line_and_status_2(kind: str, tmp_path: Path) -> None:
    from speciate.benchmarks.browsing import written

    place = tmp_path / "run"
    expected = {
        "missing": "No such file or directory",
        "empty": "holds no run",
        "file": "Not a directory",
        "version": "open it with that version",
        "damaged": "damaged",
    }
    if kind == "empty":
        place.mkdir()
    elif kind == "file":
        place.write_text("text")
    elif kind == "version":
        import sqlite3

        written(place, 3)
        with contextlib.closing(sqlite3.connect(place / "journal.db")) as database, database:
            database.execute("UPDATE schema SET format = 99")
    elif kind == "damaged":
        place.mkdir()
        (place / "journal.db").write_text("no database")
    done = subprocess.run(
        [sys.executable, "-m", "speciate", "tui", str(place)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 2, done.stderr
    assert expected[kind] in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
