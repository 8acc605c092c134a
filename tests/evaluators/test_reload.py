"""A run finds its task again, whatever installation it was started from."""

import shutil
from pathlib import Path

import pytest

from speciate.evaluators import TaskError, load_task, reload_task

TOYS = Path(__file__).parent.parent / "toy_tasks"


def test_a_shipped_task_is_found_by_its_id(tmp_path: Path) -> None:
    shipped = load_task("fasterpam")
    elsewhere = tmp_path / "another installation" / "fasterpam"
    assert reload_task("fasterpam", str(elsewhere), shipped.digest).path == shipped.path


def test_a_task_of_the_users_own_wins_over_a_shipped_one_of_the_same_id(tmp_path: Path) -> None:
    own = tmp_path / "own" / "linear"
    shutil.copytree(TOYS / "linear", own)
    folder = load_task(str(own))
    assert reload_task("fasterpam", str(own), folder.digest).path == own


def test_a_changed_or_missing_task_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own" / "linear"
    shutil.copytree(TOYS / "linear", own)
    digest = load_task(str(own)).digest
    with (own / "baseline.py").open("a") as file:
        file.write("changed = 1\n")
    with pytest.raises(TaskError, match="restore them"):
        reload_task("linear", str(own), digest)
    shutil.rmtree(own)
    with pytest.raises(TaskError, match="restore them"):
        reload_task("linear", str(own), digest)
