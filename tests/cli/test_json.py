"""Every command with --json: exactly one document on stdout, with the fields that scripts rely on."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from speciate.archive import Journal
from speciate.discovery import load_config
from speciate.discovery.run import start

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"
REFERENCE = LINEAR / "reference.py"
Command = Callable[..., Any]
"""The fixture of conftest.py: what a command line ended with, said on stdout and on stderr."""

RUN = {"run", "task", "evaluations", "valid", "best", "seconds", "cost", "stopped_by", "at_work"}
BEST = {"program", "score", "tier", "interval", "certified", "certificate"}


@pytest.fixture
def answer(command: Command) -> Callable[..., Any]:
    """The document of a command, which must be all that is on stdout."""

    def once(*arguments: object, status: int = 0) -> Any:
        said = command(*arguments, "--json")
        assert said.status == status, said.err
        return json.loads(said.out)

    return once


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "one"
    start(str(LINEAR), load_config(None, budget__evaluations=60, workers=1, seed=1), directory)
    return directory


def test_describe(answer: Callable[..., Any]) -> None:
    document = answer("describe", LINEAR)
    assert {"id", "statement", "signature", "objective", "baseline", "reference"} <= set(document)
    assert document["baseline"] == (LINEAR / "baseline.py").read_text()


def test_check(answer: Callable[..., Any]) -> None:
    (row,) = answer("check", LINEAR)
    assert {"task", "ok", "baseline", "reference", "margin", "claim", "reason", "seconds"} <= set(row)
    assert row["ok"] is True
    assert row["seconds"] > 0


@pytest.mark.parametrize(
    ("program", "state", "status"),
    [
        ("def solve(x): return 2.5 * x", "valid", 0),
        ("def solve(x): return x * float('nan')", "invalid", 1),
        ("def solve(x): return 1 / 0", "crashed", 1),
        ('def solve(x):\n    print(\'{"state": "valid"}\')\n    return None', "invalid", 1),
    ],
)
def test_evaluate(program: str, state: str, status: int, tmp_path: Path, answer: Callable[..., Any]) -> None:
    (tmp_path / "p.py").write_text(program)
    document = answer("evaluate", LINEAR, tmp_path / "p.py", status=status)
    fields = "task state score interval objective metrics descriptors feedback cpu_seconds tier"
    assert set(document) == set(fields.split())
    assert set(document["objective"]) == {"name", "value", "direction", "baseline", "reference"}
    assert document["state"] == state
    assert (document["score"] is None) == (state != "valid")
    assert (document["interval"] is None) == (state != "valid")
    assert document["tier"] in ("full", "namespaces")


def test_run_resume_and_what_reads_the_run(finished: Path, answer: Callable[..., Any], tmp_path: Path) -> None:
    begun = answer("run", LINEAR, "--evaluations", 3, "--seed", 1, "--out", tmp_path / "run")
    again = answer("resume", finished)
    for document in (begun, again):
        assert set(document) == RUN
        assert set(document["best"]) == BEST
        assert set(document["cost"]) == {"tokens", "usd", "unpriced_tokens"}
    assert again["evaluations"] == 60
    (row,) = answer("runs", finished.parent)
    assert {"run", "task", "evaluations", "score", "certified", "stopped_by"} <= set(row)
    elites = answer("show", finished)
    assert {"program", "score", "interval", "islands", "operator", "descriptors"} <= set(elites[0])
    shown = answer("show", finished, elites[0]["program"])
    assert {"program", "source", "lineage", "diff", "evaluation", "certificate"} <= set(shown)
    assert answer("verify", finished) == {
        "ok": True,
        "events": number_of_events(finished),
        "evaluations": 60,
        "problems": [],
    }


def number_of_events(run: Path) -> int:
    with contextlib.closing(Journal.open(run, readonly=True)) as journal:
        return sum(1 for _ in journal.rows())


def test_export(finished: Path, answer: Callable[..., Any], tmp_path: Path) -> None:
    document = answer("export", finished, "-o", tmp_path / "lib", "--uncertified")
    assert document == {"library": str(tmp_path / "lib"), "functions": ["lib.linear.solve"]}


def test_new(answer: Callable[..., Any], tmp_path: Path) -> None:
    assert answer("new", tmp_path / "mine") == {"task": str(tmp_path / "mine")}


def test_doctor(answer: Callable[..., Any]) -> None:
    document = answer("doctor")
    assert document["tier"] in ("full", "namespaces")
    assert document["layers"]["jail"].startswith("holds")
    assert document["hardware"]["cpus"] >= 1


def test_bench(command: Command) -> None:
    said = command("bench", "--candidates", 10, "--engine", 10, "--json")
    rows = json.loads(said.out)
    assert {"what", "candidates", "cpu_ms", "ratio", "memory_mb"} <= set(rows[0])
    assert "measuring" in said.err


def test_runs_of_an_empty_folder_is_an_empty_list(answer: Callable[..., Any], tmp_path: Path) -> None:
    assert answer("runs", tmp_path) == []


def test_a_trace_is_told_with_the_evaluation(answer: Callable[..., Any]) -> None:
    trace = answer("evaluate", LINEAR, LINEAR / "baseline.py", "--size", "smoke", "--trace")["trace"]
    assert trace["state"] == "valid"
    (recorded,) = trace["recorded"]
    assert {"lines", "calls", "inputs", "output", "target", "raised"} <= set(recorded)
    assert [line["visits"] for line in recorded["lines"] if line["line"] == 10] == [2]
