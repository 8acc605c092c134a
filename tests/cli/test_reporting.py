"""``speciate report`` and ``speciate plot``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from speciate import load_run
from speciate.discovery import load_config
from speciate.discovery.run import start

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "one"
    start(str(LINEAR), load_config(None, budget__evaluations=60, workers=1, seed=1), directory)
    return directory


def test_a_report_holds_task_program_and_red_team(command: Command, finished: Path, tmp_path: Path) -> None:
    said = command("report", finished, "-o", tmp_path / "new" / "page.html", "--redteam", "--json")
    assert said.status == 0, said.err
    assert json.loads(said.out) == {"file": str(tmp_path / "new" / "page.html")}
    page = (tmp_path / "new" / "page.html").read_text()
    state = load_run(finished)
    chosen = state.certified_best or state.best
    assert chosen is not None
    assert chosen[0][:12] in page
    assert "EVOLVE-BLOCK-START" in page
    assert "ways of cheating were held on this machine" in page
    assert "complete, unchanged" in page


@pytest.mark.parametrize("figure", ["progress", "maps"])
def test_a_plot_is_a_file(command: Command, finished: Path, tmp_path: Path, figure: str) -> None:
    assert command("plot", finished, figure, "-o", tmp_path / "figure.svg").status == 0
    assert "</svg>" in (tmp_path / "figure.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "RUN", "-o", "page.pdf"), "ends in .html"),
        (("report", "nowhere", "-o", "page.html"), "holds no run"),
        (("plot", "RUN", "nothing", "-o", "a.svg"), "choose progress, lineage"),
        (("plot", "RUN", "progress", "-o", "a.gif"), "must end in .svg"),
        (("plot", "RUN", "timing", "-o", "a.svg"), "not clocked"),
    ],
)
def test_mistakes_are_one_line(command: Command, finished: Path, arguments: tuple[str, ...], words: str) -> None:
    said = command(*(finished if one == "RUN" else one for one in arguments))
    assert said.status == 2
    assert words in said.err
    assert said.err.count("\n") == 1


def test_a_report_goes_without_a_task_that_has_changed(command: Command, task: Path, tmp_path: Path) -> None:
    start(str(task), load_config(None, budget__evaluations=3, workers=1, certify=False), tmp_path / "run")
    with (task / "baseline.py").open("a") as file:
        file.write("changed = 1\n")
    said = command("report", tmp_path / "run", "-o", tmp_path / "page.html")
    assert said.status == 0
    assert "have changed" in said.err
    assert "not certified" in (tmp_path / "page.html").read_text()
