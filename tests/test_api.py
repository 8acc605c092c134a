"""The Python face, and what importing it costs."""

import asyncio
import signal
import subprocess
import sys
import time
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


def test_discover_works_where_an_event_loop_runs(tmp_path: Path) -> None:
    async def cell() -> int:
        return speciate.discover(LINEAR, tmp_path / "run", evaluations=5, settings={"certify": False}).evaluations

    assert asyncio.run(cell()) == 5


def test_an_interrupt_ends_a_run_in_an_event_loop(tmp_path: Path) -> None:
    script = (
        "import asyncio, speciate\n"
        "async def cell():\n"
        f"    found = speciate.discover({LINEAR!r}, {str(tmp_path / 'run')!r}, evaluations=100000)\n"
        "    print(found.stopped_by, flush=True)\n"
        "asyncio.run(cell())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not _has_evaluated(tmp_path / "run"):
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert said.split() == ["interrupted"]
    assert speciate.load_run(tmp_path / "run").stopped == "interrupted"


def _has_evaluated(run: Path) -> bool:
    try:
        return speciate.load_run(run).evaluations > 2
    except JournalError:
        return False


def test_a_run_is_rows_for_a_data_frame(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    speciate.discover(LINEAR, tmp_path / "run", evaluations=12, seed=3, settings={"certify": False})
    run = speciate.load_run(tmp_path / "run")
    frame = pandas.DataFrame(run.rows()).set_index("program")
    assert len(frame) == len(run.programs)
    assert run.best is not None
    assert frame.loc[frame.state == "valid", "score"].max() == run.best[1].score
    assert frame.loc[run.baseline, "parent"] is None or pandas.isna(frame.loc[run.baseline, "parent"])
    assert [name for name in frame.columns if name.startswith("descriptor.")]
    instances = pandas.DataFrame(run.instances(run.best[0][:10]))
    assert set(instances.state) == {"valid"}
    assert run.source(run.best[0][:10]) == run.program(run.best[0]).source


def test_a_notebook_shows_progress_and_the_outcome(tmp_path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    where = str(tmp_path / "run")
    cells = [
        f"import speciate\nspeciate.discover({LINEAR!r}, {where!r}, evaluations=6, settings={{'certify': False}})",
        f"speciate.load_run({where!r})",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    pages = [[one["data"].get("text/html", "") for one in cell.outputs if "data" in one] for cell in notebook.cells]
    assert any("6 of 6 evaluations" in page or "evaluations," in page for page in pages[0])
    assert "The best program scores" in pages[0][-1] or "nothing better" in pages[0][-1]
    assert "<table>" in pages[1][-1]


def test_mistakes_are_exceptions_with_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"islands\.cuont"):
        speciate.discover(LINEAR, tmp_path / "run", settings={"islands.cuont": 3})
    with pytest.raises(JournalError, match="holds no run"):
        speciate.load_run(tmp_path)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        speciate.no_such_name
