"""The generic cheats are programs that run, and a judge that falls for one is found out."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from speciate.evaluators import check_task, load_task
from speciate.evaluators.probes import _literal, cheats, imitation, random_like
from speciate.sandbox import Sandbox, SandboxSpec, open_sandbox

TOYS = Path(__file__).parent.parent / "toy_tasks"
numeric = arrays.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.uint64, np.bool_]), arrays.array_shapes(min_side=0)
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | numeric,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=6,
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and repr(one) == repr(other)


@given(plain)
def test_an_output_can_be_written_as_source(value: object) -> None:
    import base64
    import io

    text = _literal(value)
    assert text is not None
    assert same(eval(text, {"np": np, "io": io, "base64": base64}), value)


@given(plain)
def test_imitations_keep_the_form(value: Any) -> None:
    rng = np.random.default_rng(0)
    for made in (imitation(value, np.zeros_like), imitation(value, lambda array: random_like(array, rng))):
        assert type(made) is type(value)
        if isinstance(value, np.ndarray):
            assert made.shape == value.shape
            assert made.dtype == value.dtype


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec()) as opened:
        yield opened


@pytest.mark.parametrize("toy", ["linear", "asking", "staged", "rounds"])
def test_cheats_exist_for_every_style_and_define_its_entries(toy: str, sandbox: Sandbox) -> None:
    folder = load_task(str(TOYS / toy))
    found = dict(cheats(folder, sandbox, np.random.default_rng(0)))
    assert len(found) >= 10
    assert "random of the right shape" in found
    for source in found.values():
        defined = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
        assert defined == set(folder.task.entry.functions)


@pytest.mark.parametrize(
    ("accepted", "cheat"),
    [
        ("output is None", "constant None"),
        ("isinstance(output, np.ndarray) and not output.any()", "zeros of the right shape"),
    ],
)
def test_check_names_the_cheat_that_a_weak_judge_falls_for(
    accepted: str, cheat: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    for file in (TOYS / "linear").glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text())
    text, begin = (tmp_path / "task.py").read_text(), "def judge(instance, output, log):\n"
    weak = f"    if {accepted}:\n        return Verdict(True, {{'error': 0.1, 'first': 0.0}})\n"
    assert begin in text
    (tmp_path / "task.py").write_text(text.replace(begin, begin + weak))
    result = check_task(load_task(str(tmp_path)), sandbox)
    assert not result.ok
    assert cheat in result.reason
