"""autonumerics_zero: the interpreter, its traps, and what baseline and reference reach."""

from decimal import Decimal

import mpmath
import numpy as np
import pytest

from speciate.evaluators import Instance
from speciate.tasks.symbolic import workloads
from speciate.tasks.symbolic.autonumerics_zero import baseline, known_rational, reference
from speciate.tasks.symbolic.autonumerics_zero.task import instances, judge
from speciate.tasks.symbolic.straight_line import Truth


def problem(f, low, high, max_ops=10, seed=0, name="composed"):
    target = workloads.Target(name, low, high, f)
    points = workloads.test_points(target, np.random.default_rng(seed))
    exact = [Decimal(v) for v in workloads.values(target, points)]
    xs = workloads.chebyshev_points(low, high, 97)
    fs = workloads.values(target, xs)
    mixed = min(map(Decimal, fs)) <= 0 <= max(map(Decimal, fs))
    scale = max(abs(Decimal(v)) for v in fs)
    inputs = {"target": name, "lo": low, "hi": high, "max_ops": max_ops, "xs": xs, "fs": fs, "cpu_seconds": 0.2}
    return Instance("one", inputs, Truth(points, exact, [scale if mixed else abs(v) for v in exact]))


EXP2 = problem(lambda x: mpmath.mpf(2) ** x, 0.0, 1.0, name="exp2")


def digits(module, instance):
    verdict = judge(instance, module.approximate(**instance.inputs), None)
    assert verdict.valid, verdict.note
    return verdict.metrics["digits"]


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    assert [i.inputs["fs"] for i in first] == [i.inputs["fs"] for i in again]
    assert [i.secret.values for i in first] == [i.secret.values for i in again]
    assert first[-1].inputs["fs"] != other[-1].inputs["fs"]
    assert sum(i.inputs["target"] == "composed" for i in first) * 2 == len(first)


def test_samples_have_forty_digits_and_hold_both_ends():
    assert EXP2.inputs["xs"][0] == 0.0
    assert EXP2.inputs["xs"][-1] == 1.0
    with mpmath.workdps(50):
        x, f = EXP2.inputs["xs"][40], EXP2.inputs["fs"][40]
        assert abs(mpmath.mpf(f) / mpmath.mpf(2) ** mpmath.mpf(float(x)) - 1) < mpmath.mpf(10) ** -39


def test_the_error_of_a_known_program_is_measured_exactly():
    verdict = judge(EXP2, [("+", "x", "1")], None)
    grid = np.linspace(0, 1, 20001)
    assert verdict.metrics["digits"] == pytest.approx(-np.log10(np.max(np.abs((1 + grid) / 2**grid - 1))), abs=1e-3)
    assert verdict.metrics["operations"] == verdict.metrics["depth"] == 1


def test_baseline_equals_chebyfit_up_to_the_minimax_factor():
    polynomial = mpmath.chebyfit(lambda x: mpmath.mpf(2) ** x, [0, 1], 6)
    grid = np.linspace(0, 1, 2001)
    interpolated = max(abs(mpmath.polyval(polynomial, x) / mpmath.mpf(2) ** x - 1) for x in grid)
    reached = 10 ** -digits(baseline, EXP2)
    assert 0.4 * interpolated < reached < 1.05 * interpolated


def test_reference_finds_fourteen_digits_of_exp2_in_ten_operations():
    assert digits(baseline, EXP2) == pytest.approx(7.1, abs=0.1)
    assert digits(known_rational, EXP2) == pytest.approx(8.1, abs=0.1)
    assert digits(reference, EXP2) > 13.5


def test_reference_beats_baseline_on_every_fresh_instance():
    for instance in instances(np.random.default_rng(5), "default"):
        assert digits(reference, instance) > digits(baseline, instance) + 0.2, instance.name


def test_reference_constants_fit_the_limit_and_programs_the_budget():
    for budget in (5, 7, 12):
        instance = problem(mpmath.cos, -1.0, 1.0, max_ops=budget)
        program = reference.approximate(**instance.inputs)
        assert len(program) <= budget
        assert judge(instance, program, None).valid


def test_an_odd_target_is_scored_by_absolute_error():
    instance = problem(mpmath.tanh, -1.0, 1.0, max_ops=7)
    assert 2 < digits(baseline, instance) < digits(reference, instance)


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        "x",
        42,
        [("+", "x")],
        [("**", "x", "2")],
        [("+", "x", 0)],
        [("+", "x", -1)],
        [("+", "x", True)],
        [("+", "x", 1.0)],
        [("+", "x", "nan")],
        [("+", "x", "inf")],
        [("+", "x", "1" * 41)],
        [("+", "x", "1e9999")],
        [("+", "x", "١")],
        [("+", "x", "y")],
        [("+", "x", "1")] * 11,
        [("/", "1", "x")],
        [("-", "x", "0.4999371"), ("/", "1", 0)],
        [("/", "x", "x")],
        [("*", "x", "1e999"), ("*", 0, 0)],
        [("-", "x", "x"), ("/", "x", 0)],
    ],
)
def test_hostile_outputs_are_invalid(output):
    assert not judge(EXP2, output, None).valid


def test_programs_that_need_more_than_forty_digits_are_refused():
    steps = [("+", "x", "1e50"), ("-", 0, "1e50"), ("+", 1, "1")]
    verdict = judge(EXP2, steps, None)
    assert not verdict.valid
    assert "60-digit" in verdict.note


def test_a_pole_between_two_test_points_is_found():
    points = EXP2.secret.points
    pole = Decimal((points[10] + points[11]) / 2)
    text = f"{pole:.30f}"
    steps = [("-", "x", text), ("/", "1e-9", 0), ("+", "x", "1"), ("+", 1, 2)]
    assert not judge(EXP2, steps, None).valid


@pytest.mark.parametrize("program", [[("+", "1", "0")], [("+", "x", "0")], [("*", "x", "x")]])
def test_trivial_programs_score_below_the_baseline(program):
    for instance in instances(np.random.default_rng(3), "smoke"):
        verdict = judge(instance, program, None)
        assert not verdict.valid or verdict.metrics["digits"] < digits(baseline, instance)
