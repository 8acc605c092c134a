import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speciate.evaluators import Rejected, State, TaskError, catalogue, check_kept, check_source, load_task
from speciate.evaluators.checks import as_array, as_number, distinct_indices, exact_array, permutation, simplex
from speciate.evaluators.feedback import kind_of_failure
from speciate.evaluators.seeds import instance_rng

TOYS = Path(__file__).parent.parent / "toy_tasks"
LINEAR = load_task(str(TOYS / "linear"))

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=8,
)


@given(plain)
def test_checks_are_total(value: object) -> None:
    for check in (
        lambda: as_array(value, shape=(2,)),
        lambda: as_number(value),
        lambda: distinct_indices(value, count=2, below=5),
        lambda: permutation(value, length=3),
        lambda: simplex(value, length=2),
    ):
        try:
            checked = np.asarray(check())
        except Rejected:
            continue
        assert np.isfinite(checked).all()


@pytest.mark.parametrize("output", [[np.nan, 1], [np.inf, 1], [1, 2, 3], [[1, 2]], ["1", "2"], [1 + 0j, 2], None, True])
def test_only_finite_real_arrays_of_the_right_shape_pass(output: object) -> None:
    with pytest.raises(Rejected):
        as_array(output, shape=(2,))


@pytest.mark.parametrize(
    "output",
    [
        [0.5, 1.0],
        None,
        np.ones(2),
        np.ones(2, np.float16),
        np.ones(3, np.float32),
        np.full(2, np.nan, np.float32),
        np.full(2, 2, np.float32),
        np.ones((2, 1), np.float32),
    ],
)
def test_an_exact_array_is_not_converted(output: object) -> None:
    right = np.array([0.5, 1.0], np.float32)
    assert exact_array(right, dtype=np.float32, shape=(2,), high=1.0) is right
    with pytest.raises(Rejected):
        exact_array(output, dtype=np.float32, shape=(2,), high=1.0)


@pytest.mark.parametrize("output", [["x" * 20_000] + [""] * 2000, [[0.5] * 2000, ["x" * 20_000] + [0.5] * 1999]])
def test_a_small_output_cannot_become_a_large_array(output: object) -> None:
    tracemalloc.start()
    with pytest.raises(Rejected):
        as_array(output)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_of_failures_on_hidden_instances_only_pythons_own_names_are_told() -> None:
    assert kind_of_failure(State.CRASHED, "ValueError: 3.14") == "ValueError"
    assert kind_of_failure(State.CRASHED, "Leak314: 3.14") == ""
    assert kind_of_failure(State.CRASHED, "3.14") == ""
    assert kind_of_failure(State.INVALID, "print: 3.14") == ""
    assert "CPU" in kind_of_failure(State.TIMEOUT, "used more than 2 s of CPU")


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("def solve(", "syntax error"),
        ("def other(x): return x", "solve"),
        ("def solve(y): return y", "(x)"),
        ("def solve(x, more): return x", "(x)"),
        ("import os\ndef solve(x): return x", "os"),
        ("import speciate\ndef solve(x): return x", "speciate"),
        ("from scipy import linalg\ndef solve(x): return x", "scipy"),
    ],
)
def test_programs_that_break_the_rules_are_told_why(source: str, word: str) -> None:
    problems = check_source(LINEAR.task, {"program.py": source})
    assert problems
    assert word in problems[0]


def test_what_is_needed_of_the_standard_library_is_allowed() -> None:
    source = (
        "import math\nimport heapq\nfrom functools import partial\nimport numpy.linalg\ndef solve(x, more=1): return x"
    )
    assert check_source(LINEAR.task, {"program.py": source}) == []


def test_what_stands_outside_the_evolve_block_must_stay() -> None:
    baseline = "import numpy as np\n# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\ny = 2\n"
    assert check_kept(baseline, baseline.replace("x = 1", "x = 5\nz = 3")) == []
    assert check_kept(baseline, baseline.replace("y = 2", "y = 3"))
    assert check_kept(baseline, baseline.replace("import numpy as np", "import numpy as np\nimport os"))
    assert check_kept(baseline, baseline.replace("# EVOLVE-BLOCK-END\n", ""))
    assert check_kept(baseline, baseline + "y = 3\n")


def test_instances_of_other_purposes_programs_and_secrets_are_unrelated() -> None:
    keys = [(b"s", "search", "default", None), (b"s", "certify", "default", None), (b"s", "search", "smoke", None)]
    keys += [(b"s", "search", "default", "p"), (b"t", "search", "default", None)]
    draws = [instance_rng(*key).integers(2**60) for key in keys]
    assert len(set(draws)) == len(draws)
    assert instance_rng(*keys[0]).integers(2**60) == draws[0]


def test_every_task_of_the_catalogue_loads() -> None:
    names = list(catalogue())
    assert len(names) >= 6
    assert [load_task(name).task.id for name in names] == names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("task = 3\n", ["task.py", "Task(...)"]),
        ("import numpy as np\n\nvalue = 1 / 0\n", ["task.py", "line 3", "ZeroDivisionError"]),
        ("def broken(:\n", ["task.py", "line 1", "SyntaxError"]),
        ("import a_module_that_is_not_there\n", ["task.py", "line 1", "a_module_that_is_not_there"]),
    ],
)
def test_a_broken_task_file_is_one_clear_line(text: str, words: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "task.py").write_text(text)
    for name in ("baseline.py", "reference.py"):
        (folder / name).write_text("")
    with pytest.raises(TaskError) as caught:
        load_task(str(folder))
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_a_users_task_may_import_its_own_files_and_its_familys(tmp_path: Path) -> None:
    folder = tmp_path / "family" / "mine"
    folder.mkdir(parents=True)
    for file in (TOYS / "linear").glob("*.py"):
        (folder / file.name).write_text(file.read_text().replace("FACTOR = 2.5", "from ..shared import FACTOR"))
    (folder.parent / "shared.py").write_text("FACTOR = 2.5\n")
    assert load_task(str(folder)).task.id == "linear"
