"""The Python face, and what importing it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import speciate
from speciate.archive import JournalError
from speciate.discovery import ConfigError
from speciate.evaluators import State, TaskError

LINEAR = str(Path(__file__).parent / "toy_tasks" / "linear")
HEAVY = (
    "torch",
    "scipy",
    "numpy",
    "ribs",
    "docker",
    "textual",
    "sqlalchemy",
    "openai",
    "langgraph",
    "libcst",
    "pandas",
)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["run", "--help"]])
def test_neither_the_package_nor_its_help_imports_anything_heavy(arguments: list[str]) -> None:
    script = (
        "import sys, speciate\n"
        f"sys.argv[1:] = {arguments}\n"
        "if sys.argv[1:]:\n"
        "    from speciate.cli import main\n"
        "    try: main()\n"
        "    except SystemExit: pass\n"
        "print('loaded:', *sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.partition("loaded:")[2].split())
    assert "speciate" in loaded
    assert not loaded & set(HEAVY)


def test_tasks_lists_the_catalogue_by_family() -> None:
    everything = speciate.tasks()
    assert {"fasterpam", "lion_search"} <= {task.id for task in everything}
    family = speciate.tasks("clustering")
    assert family
    assert {task.family for task in family} == {"clustering"}
    with pytest.raises(TaskError, match="clustering"):
        speciate.tasks("no_such_family")


def test_evaluate_scores_a_program() -> None:
    found = speciate.evaluate(LINEAR, (Path(LINEAR) / "reference.py").read_text())
    assert found.score == pytest.approx(1.0)
    assert speciate.evaluate(LINEAR, "def solve(x): raise ValueError").state is State.CRASHED


def test_evaluate_refuses_what_breaks_the_rules() -> None:
    with pytest.raises(TaskError, match="solve"):
        speciate.evaluate(LINEAR, "def other(x): return x")
    with pytest.raises(TaskError, match="no_such_task"):
        speciate.evaluate("no_such_task", "")


def test_discover_and_load_run_agree(tmp_path: Path) -> None:
    found = speciate.discover(LINEAR, tmp_path / "run", evaluations=20, seed=3, settings={"islands.count": 3})
    state = speciate.load_run(tmp_path / "run")
    assert found.evaluations == state.evaluations == 20
    assert len(state.archipelago.islands) == 3
    assert state.started is not None
    assert state.started.seed == 3
    assert found.best in state.programs


def test_mistakes_are_exceptions_with_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"islands\.cuont"):
        speciate.discover(LINEAR, tmp_path / "run", settings={"islands.cuont": 3})
    with pytest.raises(JournalError, match="holds no run"):
        speciate.load_run(tmp_path)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        speciate.no_such_name
