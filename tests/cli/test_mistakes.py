"""What a user gets wrong ends in one line on stderr that names the place, status 2, and an empty stdout."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from speciate.discovery import load_config
from speciate.discovery.run import start

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"
Command = Callable[..., Any]
"""The fixture of conftest.py: what a command line ended with, said on stdout and on stderr."""


def is_one_line(said: Any, *words: str) -> None:
    assert said.status == 2, said.err
    assert said.err.startswith("speciate: ")
    assert said.err.count("\n") == 1, said.err
    assert said.out == ""
    for word in words:
        assert word in said.err


DEFINE = "def instances(rng, size):\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("baseline.py", "", "def (", ["baseline.py", "line 1", "SyntaxError"]),
        ("reference.py", "", "def (", ["reference.py", "line 1", "SyntaxError"]),
        ("reference.py", "", "raise ValueError('no')\n", ["reference", "ValueError"]),
        ("baseline.py", "return ", "return 1 / 0 * ", ["baseline", "ZeroDivisionError"]),
        ("task.py", "", "raise SystemExit(3)\n", ["task.py", "line 1", "SystemExit"]),
        ("task.py", "", "import no_such_thing\n", ["task.py", "line 1", "no_such_thing"]),
        ("task.py", "task = Task(", "other = Task(", ["task.py", "task = Task(...)"]),
        ("task.py", DEFINE, DEFINE + "    raise KeyError('gone')\n", ["task.py", "line 12", "KeyError"]),
        ("task.py", DEFINE, DEFINE + "    return 5\n", ["task.py", "instances(rng, 'default')", "list of Instance"]),
        ("task.py", DEFINE, DEFINE + "    return [3]\n", ["task.py", "list of Instance"]),
        ("task.py", DEFINE, DEFINE + "    return []\n", ["no instances of size 'default'"]),
        ("task.py", "    y = as_array", "    return 5\n    y = as_array", ["baseline", "did not return a Verdict"]),
        ("task.py", 'id="linear"', "id=5", ["task.py", "'id' must be str"]),
        ("task.py", "judge=judge", "judge=None", ["task.py", "'judge' must be a function"]),
        ("task.py", 'Entry("def solve(x: np.ndarray) -> np.ndarray")', 'Entry("solve(")', ["task.py", "signature"]),
        ("task.py", '"first", -3.0, 3.0', '"first", 3.0, -3.0', ["task.py", "'first'", "low < high"]),
        ("task.py", "    instances=instances,", '    instances=instances, style="oracle",', ["task.py", "'oracle'"]),
    ],
)
def test_a_broken_task_says_where(
    file: str, old: str, new: str, words: list[str], task: Path, command: Command
) -> None:
    text = (task / file).read_text()
    assert old in text
    (task / file).write_text(text.replace(old, new, 1))
    is_one_line(command("evaluate", task, LINEAR / "reference.py"), *words)


@pytest.mark.parametrize("file", ["task.py", "baseline.py", "reference.py"])
def test_a_task_file_that_is_no_text_says_which(file: str, task: Path, command: Command) -> None:
    (task / file).write_bytes(b"x = '\xff'\n")
    is_one_line(command("check", task, "--json"), file)


def test_a_run_that_could_not_begin_leaves_nothing(task: Path, tmp_path: Path, command: Command) -> None:
    (task / "reference.py").write_text("def solve(x): raise ValueError('no')\n")
    is_one_line(command("run", task, "--out", tmp_path / "run", "--json"), "reference", "ValueError")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (b"def solve(x): return x # \xff\n", ["UTF-8"]),
        (b"def solve(", ["syntax error in line 1"]),
        (b"def solve(x): return x\0", ["null bytes"]),
        (b"def solve(x): return " + b"-" * 30000 + b"x", ["syntax error"]),
        (b"def solve(y): return y", ["(x)", "(y)"]),
        (b"", ["solve(x)"]),
    ],
)
def test_a_file_that_is_no_program_says_why(program: bytes, words: list[str], tmp_path: Path, command: Command) -> None:
    (tmp_path / "mine.py").write_bytes(program)
    is_one_line(command("evaluate", LINEAR, tmp_path / "mine.py"), "mine.py", *words)


def test_a_folder_is_no_program(tmp_path: Path, command: Command) -> None:
    is_one_line(command("evaluate", LINEAR, tmp_path), str(tmp_path), "directory")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("evaluate", LINEAR), ["file", "evaluate --help"]),
        (("evaluate", LINEAR, LINEAR / "reference.py", "--size", "huge"), ["huge", "smoke, default or gpu"]),
        (("evaluate", LINEAR, LINEAR / "reference.py", "--seed", "-1"), ["--seed"]),
        (("run", LINEAR, "--time", "soon"), ["soon", "5m"]),
        (("run", LINEAR, "--evaluations", "0"), ["--evaluations"]),
        (("run", LINEAR, "--no-such-option"), ["--no-such-option"]),
        (("run", LINEAR, "--usd", "-1"), ["budget.usd"]),
        (("run", LINEAR, "--set", ".=3"), ["key=value"]),
        (("run", LINEAR, "--set", "islands.count={"), ["islands.count"]),
        (("run", LINEAR, "--set", "proposer=null"), ["proposer"]),
        (("run", LINEAR, "--out", "/dev/null/run"), ["/dev/null/run"]),
        (("nonsense",), ["nonsense", "--help"]),
        (("new", LINEAR), ["not empty"]),
        (("new", "/dev/null/task"), ["/dev/null"]),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[object, ...], words: list[str], command: Command) -> None:
    is_one_line(command(*arguments), *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"seed: \xff\n", ["UTF-8"]),
        (b"a: [1", ["not YAML"]),
        (b"- 1\n", ["keys and values"]),
        (b"nonsense: 3\n", ["nonsense", "known keys"]),
        (b"islands: {cuont: 3}\n", ["islands.cuont", "count"]),
        (b"islands: 3\n", ["islands"]),
        (b"seed: 1.5\n", ["seed"]),
        (b"1: 2\n", ["1"]),
        (b"budget: {seconds: .nan}\n", ["budget.seconds"]),
        (b"seed: !!python/object:os.system {}\n", ["not YAML"]),
    ],
)
def test_a_wrong_configuration_file_is_one_line(
    text: bytes, words: list[str], tmp_path: Path, command: Command
) -> None:
    (tmp_path / "c.yaml").write_bytes(text)
    is_one_line(command("run", LINEAR, "--config", tmp_path / "c.yaml", "--out", tmp_path / "run"), *words)
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "good"
    start(str(LINEAR), load_config(None, budget__evaluations=10, workers=1, certify=False), directory)
    return directory


@pytest.fixture
def damaged(finished: Path, tmp_path: Path) -> Path:
    """A copy of a run that the tests damage, beside one that is whole."""
    shutil.copytree(finished, tmp_path / "good")
    shutil.copytree(finished, tmp_path / "bad")
    return tmp_path / "bad"


def change(run: Path, statement: str) -> None:
    with sqlite3.connect(run / "journal.db") as connection:
        connection.execute(statement)
    connection.close()


OTHER_VERSION = "UPDATE schema SET format = 99, version = '9.9'"
NO_EVENT = "UPDATE events SET payload = '{}' WHERE seq = 5"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (OTHER_VERSION, ["9.9", "format 99", "that version"]),
        (NO_EVENT, ["event 5", "speciate verify"]),
        ("DELETE FROM events WHERE seq > 0", ["stopped before its run began", "speciate run"]),
        ("DROP TABLE events", ["events"]),
    ],
)
@pytest.mark.parametrize("name", ["show", "resume", "export"])
def test_a_run_that_cannot_be_read_says_why(
    name: str, statement: str, words: list[str], damaged: Path, tmp_path: Path, command: Command
) -> None:
    change(damaged, statement)
    options = ("-o", tmp_path / "lib") if name == "export" else ()
    said = command(name, damaged, *options)
    if name == "export" and "DELETE" in statement:
        words = ["no valid program"]
    is_one_line(said, *words)


@pytest.mark.parametrize("content", [b"hello", b""])
def test_a_file_that_is_no_journal_says_so(content: bytes, damaged: Path, command: Command) -> None:
    (damaged / "journal.db").write_bytes(content)
    for name in ("show", "resume", "verify"):
        is_one_line(command(name, damaged), str(damaged))


def test_a_damaged_run_does_not_hide_the_others(damaged: Path, command: Command) -> None:
    change(damaged, NO_EVENT)
    said = command("runs", damaged.parent)
    assert said.status == 0
    assert "good" in said.out
    assert "event 5" in said.err


def test_verify_ends_with_1_where_the_journal_was_changed(damaged: Path, command: Command) -> None:
    change(damaged, NO_EVENT)
    said = command("verify", damaged)
    assert said.status == 1
    assert "event 5: its text is not the one that was written" in said.err


def test_check_ends_with_1_where_the_task_is_not_sound(task: Path, command: Command) -> None:
    (task / "reference.py").write_text((task / "baseline.py").read_text())
    said = command("check", task, "--json")
    assert said.status == 1
    assert '"ok": false' in said.out
