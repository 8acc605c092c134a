"""exponential_forms: what is recorded of a form, the fit of its constants, the judge's traps, and the paper's claim."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import speciate.tasks.symbolic.exponential_forms as folder
from speciate.tasks.symbolic.exponential_forms.task import instances, judge

FOLDER = Path(folder.__path__[0])
DEFAULT = instances(np.random.default_rng(3), "default")


@pytest.fixture(scope="module", autouse=True)
def helpers() -> Iterator[None]:
    """The package as candidates see it."""
    package = types.ModuleType("helpers")
    package.__path__ = [str(FOLDER / "helpers")]
    sys.modules["helpers"] = package
    yield
    for name in ("helpers", "helpers.forms"):
        sys.modules.pop(name, None)


def program(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def forms() -> types.ModuleType:
    import importlib

    return importlib.import_module("helpers.forms")


def digits(approximate, instance) -> float:
    verdict = judge(instance, approximate(**instance.inputs), None)
    assert verdict.valid, verdict.note
    return verdict.metrics["digits"]


def test_what_is_computed_twice_counts_once_and_what_is_not_needed_not_at_all():
    def form(x):
        unused = x / 3.0
        square, again = x * x, x * x
        unused = unused * unused
        return square + again * 2.0

    instructions, constants = forms().recorded(form)
    assert instructions == [("*", "x", "x"), ("*", 0, ("c", 0)), ("+", 0, 1)]
    assert constants.tolist() == [2.0]


@given(st.integers(1, 8))
def test_whole_powers_are_products(power):
    instructions, _ = forms().recorded(lambda x: x**power + 1.0)
    assert {op for op, _, _ in instructions[:-1]} <= {"*"}
    value, _ = forms().values(instructions, np.array([1.5], dtype=np.longdouble), np.array([1.0], dtype=np.longdouble))
    assert float(value[0]) == pytest.approx(1.5**power + 1.0)


@pytest.mark.parametrize(
    "form", [lambda x: 1.0, lambda x: x, lambda x: x**0.5, lambda x: x + "1", lambda x: x if x > 0 else -x]
)
def test_what_is_no_form_is_refused(form):
    with pytest.raises(TypeError):
        forms().recorded(form)


def test_slopes_are_those_of_finite_differences():
    instructions, start = forms().recorded(lambda x: (x * 0.7 + 1.3) / (2.5 - x * x * 0.4) - 0.3 / (x + 4.0))
    x, constants = np.linspace(0, 1, 7).astype(np.longdouble), start.astype(np.longdouble)
    value, slope = forms().values(instructions, x, constants)
    for k in range(len(constants)):
        moved = constants.copy()
        moved[k] += 1e-9
        ahead, _ = forms().values(instructions, x, moved)
        assert np.allclose(((ahead - value) / 1e-9).astype(float), slope[:, k].astype(float), rtol=1e-6)


def test_the_fit_finds_a_quotient_within_a_quotient_from_afar():
    """Where steps without their second order stop six digits early."""
    reference = program("reference")
    assert all(digits(reference.approximate, instance) > 12 for instance in DEFAULT)


def test_the_baseline_is_the_minimax_polynomial():
    import mpmath

    baseline = program("baseline")
    polynomial = mpmath.chebyfit(lambda x: mpmath.mpf(2) ** x, [0, 1], 6)
    grid = np.linspace(0, 1, 4001)
    error = np.max(np.abs(np.polyval([float(c) for c in polynomial], grid) / 2**grid - 1))
    assert digits(baseline.approximate, DEFAULT[0]) == pytest.approx(-np.log10(error), abs=0.15)


def test_squaring_alone_does_not_help():
    known, baseline = program("known_squared"), program("baseline")
    assert abs(digits(known.approximate, DEFAULT[0]) - digits(baseline.approximate, DEFAULT[0])) < 1


def test_eleven_operations_are_too_many():
    def form(x):
        y = x
        for _ in range(5):
            y = y * x + 0.5
        return y * y

    output = forms().fitted(form, **DEFAULT[0].inputs)
    assert len(output) == 11
    verdict = judge(DEFAULT[0], output, None)
    assert not verdict.valid


def test_instances_are_deterministic_and_differ_between_seeds():
    again, other = (instances(np.random.default_rng(seed), "default") for seed in (3, 4))
    assert [i.inputs["fs"] for i in DEFAULT] == [i.inputs["fs"] for i in again]
    assert DEFAULT[1].inputs["fs"] != other[1].inputs["fs"]
