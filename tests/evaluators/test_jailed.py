"""Instances and judge that nobody vouches for: in a jail of their own, one for each thread, and total all the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from speciate.evaluators import Instance, TaskError
from speciate.evaluators.jailed import Jailed, JudgeFailed

GOOD = """
import os
import numpy as np
from speciate.evaluators.checks import as_array

def instances(rng, size):
    return [(f"{size}{i}", {"x": rng.normal(size=3)}, {"twice": 2.0}) for i in range(2)]

def judge(inputs, secret, output):
    y = as_array(output, shape=(3,))
    return {"error": float(abs(y - secret["twice"] * inputs["x"]).max()), "pid": os.getpid()}
"""
LOOKING = """
import os
def instances(rng, size):
    found = [path for path in PLACES if os.path.exists(path)]
    return [("one", {"found": found, "environment": dict(os.environ)}, None)]
def judge(inputs, secret, output): ...
"""


@pytest.fixture
def jailed(tmp_path: Path) -> Callable[[str], Jailed]:
    def of(source: str) -> Jailed:
        (tmp_path / "problem.py").write_text(source)
        return Jailed(tmp_path / "problem.py")

    return of


def jails() -> list[psutil.Process]:
    """Children of this process."""
    return [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_the_same_generator_gives_the_same_instances(jailed: Callable[[str], Jailed]) -> None:
    problem = jailed(GOOD)
    one, other = problem.instances(rng(), "smoke"), problem.instances(rng(), "smoke")
    assert [instance.name for instance in one] == ["smoke0", "smoke1"]
    assert one[0].secret == {"twice": 2.0}
    assert np.array_equal(one[0].inputs["x"], other[0].inputs["x"])
    assert not np.array_equal(one[0].inputs["x"], one[1].inputs["x"])
    assert not np.array_equal(one[0].inputs["x"], problem.instances(np.random.default_rng(6), "smoke")[0].inputs["x"])


def test_threads_do_not_disturb_each_other(jailed: Callable[[str], Jailed]) -> None:
    problem = jailed(GOOD)
    (instance, _) = problem.instances(rng(), "smoke")
    before = len(jails())

    def error(shift: float) -> float:
        verdict = problem.judge(instance, 2.0 * instance.inputs["x"] + shift, None)
        assert verdict.valid
        return verdict.metrics["error"]

    for _ in range(2):
        with ThreadPoolExecutor(3) as threads:
            errors = list(threads.map(error, range(12)))
        assert errors == pytest.approx(range(12))
    assert error(1.0) == pytest.approx(1.0)
    assert len(jails()) == before, "the threads' jails have ended with them"
    refused = problem.judge(instance, [1.0], None)
    assert not refused.valid
    assert "shape" in refused.note


def test_a_thread_has_one_jail_for_all_its_tasks(tmp_path: Path) -> None:
    (tmp_path / "problem.py").write_text(GOOD)
    tasks = [Jailed(tmp_path / "problem.py", imports) for imports in (("numpy",), ("numpy", "scipy"), ("numpy",))]
    open_jails = []
    for task in (*tasks, *tasks):
        assert len(task.instances(rng(), "smoke")) == 2
        open_jails.append(len(jails()))
    assert len(set(open_jails)) == 1


def test_it_sees_nothing_of_the_user(jailed: Callable[[str], Jailed], tmp_path: Path) -> None:
    places = [str(tmp_path), str(Path(__file__).parent), str(Path(__file__).parent.parent.parent)]
    problem = jailed(f"PLACES = {places!r}\n{LOOKING}")
    (instance,) = problem.instances(rng(), "smoke")
    assert instance.inputs["found"] == []
    assert "HOME" not in instance.inputs["environment"]


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("__import__('os')._exit(0)", "exit status 0"),
        ("None", "TypeError"),
        ("{'error': 'low'}", "ValueError"),
        ("__import__('socket').socket()", "not permitted"),
    ],
)
def test_a_judge_that_fails_accepts_nothing(returned: str, words: str, jailed: Callable[[str], Jailed]) -> None:
    problem = jailed(f"def judge(inputs, secret, output):\n    return {returned}\n")
    with pytest.raises(JudgeFailed, match=words):
        problem.judge(Instance("one", {}), 0, None)


def test_instances_of_a_wrong_form_are_named(jailed: Callable[[str], Jailed]) -> None:
    for returned, words in (("[5]", "TypeError"), ("[(1, {}, None)]", "must be"), ("[('a', {1: 2}, 0)]", "text")):
        with pytest.raises(TaskError, match=words):
            jailed(f"def instances(rng, size):\n    return {returned}\n").instances(rng(), "smoke")
