"""Loading tasks: paths, families, helpers, and what a definition must keep to."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speciate.evaluators import Descriptor, Entry, TaskError, calibrate, load_task
from speciate.evaluators.contract import BOUNDS, violations
from speciate.evaluators.lint import lint
from speciate.sandbox import SandboxSpec, open_sandbox

LINEAR = Path(__file__).parent.parent / "toy_tasks" / "linear"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A family with one task in it."""
    place = tmp_path / "family" / "mine"
    place.mkdir(parents=True)
    for file in LINEAR.glob("*.py"):
        (place / file.name).write_text(file.read_text())
    return place


def replace(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


def test_relative_paths_links_and_the_current_folder_lead_to_the_same_task(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    loaded = [load_task(name) for name in (".", "../mine", str(folder), str(tmp_path / "link"))]
    assert {one.digest for one in loaded} == {loaded[0].digest}
    assert {one.path for one in loaded} == {folder}


def test_two_folders_of_one_name_are_two_tasks(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "mine"
    shutil.copytree(folder, other)
    replace(other, "task.py", "FACTOR = 2.5", "FACTOR = 3.5")
    one, two = load_task(str(folder)).task, load_task(str(other)).task
    rngs = np.random.default_rng(0), np.random.default_rng(0)
    ratio = two.instances(rngs[0], "smoke")[0].secret / one.instances(rngs[1], "smoke")[0].secret
    assert ratio == pytest.approx(3.5 / 2.5)


def test_a_changed_task_is_loaded_anew_in_the_same_process(folder: Path) -> None:
    before = load_task(str(folder))
    replace(folder, "task.py", 'title="Stretch a vector"', 'title="Another"')
    after = load_task(str(folder))
    assert (before.task.title, after.task.title) == ("Stretch a vector", "Another")
    assert before.digest != after.digest


@pytest.mark.parametrize("place", [".", ".."])
def test_helpers_of_the_task_or_its_family_are_importable_by_candidates_and_part_of_the_digest(
    place: str, folder: Path
) -> None:
    helpers = folder / place / "helpers"
    helpers.mkdir()
    (helpers / "factors.py").write_text("FACTOR = 2.5\n")
    replace(folder, "reference.py", "def solve(x):", "from helpers.factors import FACTOR\n\ndef solve(x):")
    loaded = load_task(str(folder))
    assert loaded.helpers is not None
    assert loaded.helpers.samefile(helpers)
    assert lint(loaded) == []
    with open_sandbox(SandboxSpec(helpers=loaded.helpers)) as sandbox:
        assert calibrate(loaded, sandbox, b"secret").reference_gain > 0
    (helpers / "factors.py").write_text("FACTOR = 2.6\n")
    assert load_task(str(folder)).digest != loaded.digest


def test_known_programs_are_read_by_their_names(folder: Path) -> None:
    (folder / "known_halving.py").write_text("def solve(x): return x / 2\n")
    assert list(load_task(str(folder)).known) == ["halving"]
    (folder / "known_broken.py").write_text("def solve(\n")
    with pytest.raises(TaskError, match=r"known_broken\.py, line 1"):
        load_task(str(folder))


def test_an_error_in_a_library_is_told_by_the_tasks_own_line(folder: Path) -> None:
    replace(folder, "task.py", "    count = 1", "    np.linalg.inv(np.zeros((2, 2)))\n    count = 1")
    with pytest.raises(TaskError, match=r"mine/task\.py, line 12: LinAlgError"):
        load_task(str(folder)).task.instances(np.random.default_rng(0), "smoke")


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("bound", ["lambda i: 1 / 0", "lambda i: 'low'", "lambda i: float('nan')"])
def test_a_bound_that_fails_is_the_tasks_fault(bound: str, name: str, folder: Path) -> None:
    replace(folder, "task.py", "    judge=judge,", f"    judge=judge,\n    {name}={bound},")
    task = load_task(str(folder)).task
    with pytest.raises(TaskError, match=r"task\.py"):
        getattr(task, name)(task.instances(np.random.default_rng(0), "smoke")[0])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"title": None}, "'title'"),
        ({"statement": "  "}, "'statement'"),
        ({"instances": []}, "'instances'"),
        ({"oracle": 3}, "'oracle'"),
        ({"descriptors": ("code_size",)}, "Descriptor"),
        ({"descriptors": ()}, "at least one descriptor"),
        ({"descriptors": (Descriptor("a", 0.0, 1.0, scale="log"),)}, "low > 0"),
        ({"descriptors": (Descriptor("a", 0.0, 1.0, bins=0),)}, "one bin"),
        ({"repeats": 0}, "'repeats'"),
        ({"flops": 3.0}, "'flops'"),
        ({"precision": "float16"}, "'precision'"),
        ({"style": "rounds"}, "'drive'"),
        ({"style": "magic"}, "'style'"),
        ({"entry": Entry("x = 1")}, "signature"),
    ],
)
def test_each_violation_is_named(change: dict[str, Any], word: str) -> None:
    task = load_task(str(LINEAR)).task
    assert list(violations(task)) == []
    assert word in next(violations(dataclasses.replace(task, **change)))


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("baseline.py", "# EVOLVE-BLOCK-END", "", "needs one"),
        ("baseline.py", "# EVOLVE-BLOCK-START", "# EVOLVE-BLOCK-END", "needs one"),
        ("baseline.py", "EVOLVE-BLOCK", "BLOCK", "baseline.py has no"),
        ("reference.py", "def solve", "import os\ndef solve", "reference.py"),
        ("task.py", "rng.normal(size=8)", "np.random.normal(size=8)", "not determined"),
        ("task.py", '"x": x}', '"x": {1}}', "no plain data"),
        ("task.py", 'f"vector{i}"', '"vector"', "same name"),
        ("task.py", 'f"vector{i}"', 'f"vector{i}{np.random.rand()}"', "other instances"),
    ],
)
def test_lint_finds_what_makes_a_task_unsound(file: str, old: str, new: str, words: str, folder: Path) -> None:
    assert lint(load_task(str(folder))) == []
    replace(folder, file, old, new)
    problems = lint(load_task(str(folder)))
    assert any(words in problem for problem in problems), problems


def test_lint_finds_a_statement_that_gives_the_reference_away(folder: Path) -> None:
    line = "y = 2.5 * x  # the factor that the paper found by hand"
    (folder / "reference.py").write_text(f"def solve(x):\n    {line}\n    return y\n")
    replace(folder, "task.py", "Return x times a factor", f"Hint: {line}. Return x times a factor")
    assert any("holds a line of the reference" in problem for problem in lint(load_task(str(folder))))
