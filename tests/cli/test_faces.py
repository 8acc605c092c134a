"""The command line as scripts use it: JSON on stdout, one line on stderr, exit statuses."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from speciate.archive import Certified, Journal, replay
from speciate.benchmarks.browsing import written
from speciate.evaluators import Interval

TOYS = Path(__file__).parent.parent / "toy_tasks"
LINEAR = str(TOYS / "linear")


def speciate(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "speciate", *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )


def answer(*arguments: str, status: int = 0, cwd: Path | None = None) -> object:
    done = speciate(*arguments, "--json", cwd=cwd)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "one"
    answer("run", LINEAR, "--evaluations", "120", "--seed", "1", "--out", str(directory))
    return directory


def test_tasks_lists_the_catalogue() -> None:
    rows = answer("tasks")
    assert isinstance(rows, list)
    names = {row["id"] for row in rows}
    assert {"alphaevolve_geometry", "sinkhorn_newton_sparse", "fasterpam"} <= names
    assert {"autonumerics_zero", "lion_search", "alf_lb_online_dual"} <= names
    assert set(rows[0]) == {"id", "family", "kind", "title", "objective", "style"}


def test_describe_shows_statement_and_sources() -> None:
    task = answer("describe", "fasterpam")
    assert isinstance(task, dict)
    assert task["statement"]
    assert "EVOLVE-BLOCK-START" in task["baseline"]
    assert task["reference"]


def test_sources_are_whole_where_stdout_is_no_terminal() -> None:
    task = answer("describe", "alf_lb_online_dual")
    assert isinstance(task, dict)
    assert max(map(len, task["reference"].splitlines())) > 80
    told = speciate("describe", "alf_lb_online_dual").stdout
    assert task["baseline"].rstrip() in told
    assert task["reference"].rstrip() in told


def test_evaluate_scores_a_program(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text((TOYS / "linear" / "reference.py").read_text())
    result = answer("evaluate", LINEAR, str(program))
    assert isinstance(result, dict)
    assert result["state"] == "valid"
    assert result["score"] == pytest.approx(1.0, abs=0.05)
    assert {"name", "value", "direction", "baseline", "reference"} == set(result["objective"])


def test_evaluate_ends_with_1_where_there_is_no_score(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    source = (TOYS / "linear" / "reference.py").read_text()
    program.write_text(source + "\nraise RuntimeError('at import')\n")
    result = answer("evaluate", LINEAR, str(program), status=1)
    assert isinstance(result, dict)
    assert result["state"] == "crashed"
    assert result["score"] is None


def test_show_verify_and_runs_read_the_journal(run: Path) -> None:
    elites = answer("show", str(run))
    assert isinstance(elites, list)
    best = elites[0]["program"]
    program = answer("show", str(run), best[:10])
    assert isinstance(program, dict)
    assert program["program"] == best
    assert program["lineage"][0] == best
    assert program["diff"]
    report = answer("verify", str(run))
    assert isinstance(report, dict)
    assert report["ok"]
    assert report["evaluations"] == 120
    rows = answer("runs", str(run.parent))
    assert isinstance(rows, list)
    assert rows[0]["stopped_by"] == "evaluations"


def test_show_lists_the_certified_program_though_it_is_no_elite(tmp_path: Path) -> None:
    directory = written(tmp_path / "run", 60, finished=False)
    with contextlib.closing(Journal.open(directory)) as journal:
        state = replay(journal)
        elites = {program for island in state.archipelago.islands for program in island.elites()}
        scored = [p for p in state.proposals if (found := state.evaluation_or_none(p)) and found.score is not None]
        chosen = next(program for program in scored if program not in {state.baseline, *elites})
        fresh = state.evaluation_of(chosen).model_copy(update={"score": 0.5, "interval": Interval(low=0.1, high=0.9)})
        journal.append(Certified(program=chosen, evaluation=fresh))
    rows = answer("show", str(directory))
    assert isinstance(rows, list)
    (row,) = (row for row in rows if row["program"] == chosen)
    assert row["certified"]
    assert row["islands"] == []


def test_resuming_a_finished_run_does_nothing_more(run: Path) -> None:
    again = answer("resume", str(run))
    assert isinstance(again, dict)
    assert again["evaluations"] == 120


def test_a_new_task_is_sound_and_can_be_improved(tmp_path: Path) -> None:
    answer("new", str(tmp_path / "centre"))
    rows = answer("check", str(tmp_path / "centre"))
    assert isinstance(rows, list)
    assert rows[0]["ok"]
    assert rows[0]["task"] == "centre"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "no_such_task"), ["no_such_task"]),
        (("run", LINEAR, "--set", "islands.cuont=3"), ["islands.cuont", "known keys"]),
        (("run", LINEAR, "--config", "nowhere.yaml"), ["nowhere.yaml"]),
        (("run", LINEAR, "--proposer", "oracle"), ["oracle", "symbolic"]),
        (("evaluate", LINEAR, "no_such_file.py"), ["no_such_file.py"]),
        (("show", "no_such_run"), ["no_such_run"]),
        (("verify", "no_such_run"), ["no_such_run"]),
        (("resume", "no_such_run"), ["no_such_run"]),
        (("check",), ["--all"]),
        (("tasks", "no_such_family"), ["no_such_family"]),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(arguments: tuple[str, ...], words: list[str], tmp_path: Path) -> None:
    done = speciate(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("source", ["def solve(", "def other(): pass", "import socket\n"])
def test_a_program_that_breaks_the_rules_is_status_2(source: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(source)
    done = speciate("evaluate", LINEAR, str(program))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "program.py" in done.stderr


def test_a_run_ends_with_a_table_from_baseline_to_reference(run: Path) -> None:
    done = speciate("resume", str(run))
    assert done.returncode == 0
    rows = [line.strip() for line in done.stdout.splitlines()]
    for name in ("baseline", "best found", "on fresh instances", "reference (paper)"):
        assert any(row.startswith(name) for row in rows), done.stdout
    assert f"speciate export {run}" in done.stderr


def test_starting_in_a_folder_that_holds_a_run_is_refused(run: Path) -> None:
    done = speciate("run", LINEAR, "--evaluations", "5", "--out", str(run))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("missing", ["task.py", "baseline.py", "reference.py"])
def test_a_task_folder_with_a_missing_file_says_which(missing: str, tmp_path: Path) -> None:
    for file in (TOYS / "linear").glob("*.py"):
        if file.name != missing:
            (tmp_path / file.name).write_text(file.read_text())
    done = speciate("check", str(tmp_path))
    assert done.returncode == 2
    assert missing in done.stderr
    assert done.stderr.count("\n") == 1
