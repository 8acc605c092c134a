"""penalty_bilevel_first_order: derivatives, the closed form, what the oracle charges and refuses, the gaps reached."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.bilevel import workloads
from speciate.tasks.bilevel.penalty_bilevel_first_order import baseline, known_leaning_descent, reference
from speciate.tasks.bilevel.penalty_bilevel_first_order.task import COSTS, Levels, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, levels):
        self.levels = levels

    def __getattr__(self, method):
        return lambda *args: self.levels.serve(method, args, {})


def run(solve, instance):
    levels = Levels(instance)
    return judged(task, instance, solve(Direct(levels), **instance.inputs), levels.log)


def gaps(program, seed):
    verdicts = [run(program.solve, instance) for instance in instances(np.random.default_rng(seed), "default")]
    assert all(verdict.valid for verdict in verdicts)
    return np.array([verdict.metrics["gap"] for verdict in verdicts])


def problem(bend=1.0):
    return workloads.many_solutions(np.random.default_rng(0), nx=3, ny=8, rank=4, bend=bend)


def lower(p, x, y):
    r = p.a @ y - p.b @ x
    return 0.5 * np.sum((r + p.bend * np.tanh(2 * r)) ** 2)


def upper(p, x, y):
    return 0.5 * np.sum((y - p.c - p.coupling @ x) ** 2) + 0.15 * np.sum((x - p.d) ** 2)


def test_derivatives_agree_with_finite_differences():
    p, rng = problem(), np.random.default_rng(1)
    x, (y, v) = rng.standard_normal(3), rng.standard_normal((2, 8))
    for gradients, function in ((p.upper_gradients, upper), (p.lower_gradients, lower)):
        in_x, in_y = gradients(x, y)
        assert in_x == pytest.approx(approx_fprime(x, lambda at, f=function: f(p, at, y), 1e-7), abs=1e-5)
        assert in_y == pytest.approx(approx_fprime(y, lambda at, f=function: f(p, x, at), 1e-7), abs=1e-5)
    step = 1e-6
    ahead, behind = p.lower_gradients(x, y + step * v), p.lower_gradients(x, y - step * v)
    in_y, in_x = p.lower_products(x, y, v)
    assert in_y == pytest.approx((ahead[1] - behind[1]) / (2 * step), abs=1e-6)
    assert in_x == pytest.approx((ahead[0] - behind[0]) / (2 * step), abs=1e-6)


@pytest.mark.parametrize("bend", [0.0, 1.0])
def test_the_lower_curvature_is_bounded_and_the_bent_one_is_not_convex(bend):
    p, rng = problem(bend), np.random.default_rng(0)
    spectra = []
    for _ in range(300):
        x, y = 2 * rng.standard_normal(3), 2 * rng.standard_normal(8)
        hessian = np.stack([p.lower_products(x, y, unit)[0] for unit in np.eye(8)])
        spectra.append(np.linalg.eigvalsh(hessian))
    assert np.max(np.abs(spectra)) <= p.smoothness
    assert np.min(spectra) >= -1e-12 if bend == 0 else np.min(spectra) < -0.01


@pytest.mark.parametrize("bend", [0.0, 1.0])
def test_the_closed_form_is_the_least_of_f_over_the_lower_solutions(bend):
    p = problem(bend)
    for x in np.random.default_rng(2).standard_normal((3, 3)):
        inverse, null = np.linalg.pinv(p.a), np.linalg.svd(p.a)[2][4:].T
        start = inverse @ (p.b @ x)
        assert lower(p, x, start) < 1e-20
        found = minimize(lambda t, x=x, y=start, n=null: upper(p, x, y + n @ t), np.zeros(4), tol=1e-10)
        assert p.value(x) == pytest.approx(found.fun, abs=1e-7)
    assert p.value(p.optimum) == pytest.approx(minimize(p.value, np.zeros(3), tol=1e-10).fun, abs=1e-8)


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.inputs["y0"], b.inputs["y0"])
        assert np.array_equal(a.secret.a, b.secret.a)
        assert not np.array_equal(a.secret.optimum, c.secret.optimum)


def test_calls_are_charged_by_kind_and_stop_at_the_budget():
    levels = Levels(instances(np.random.default_rng(0), "smoke")[0])
    oracle, x, y = Direct(levels), np.zeros(10), np.zeros(40)
    oracle.df(x, y)
    oracle.dg(x, y)
    oracle.hyy(x, y, y)
    oracle.hxy(x, y, y)
    assert levels.log.spent == sum(COSTS.values()) == 6
    for _ in range(397):
        oracle.hyy(x, y, y)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.df(x, y)


@pytest.mark.parametrize("bad", [None, "x", 0.0, [], np.zeros(4), np.zeros((1, 10)), np.full(10, np.nan), [1e7] * 10])
def test_other_arrays_are_refused_but_charged_and_no_answers(bad):
    instance = instances(np.random.default_rng(0), "smoke")[0]
    levels = Levels(instance)
    x, y = np.zeros(10), np.zeros(40)
    for wrong in ((bad, y), (x, bad), (x,), (x, y, y)):
        with pytest.raises(OracleRefused):
            Direct(levels).dg(*wrong)
    with pytest.raises(OracleRefused):
        Direct(levels).hyy(x, y, bad)
    assert levels.log.spent == 6
    assert not judged(task, instance, bad, None).valid


def test_gaps_are_one_at_zero_zero_at_the_optimum_and_bounded():
    for instance in instances(np.random.default_rng(0), "default"):
        points = (np.zeros(10), instance.secret.optimum, np.full(10, 1e6))
        found = [judged(task, instance, x, None).metrics["gap"] for x in points]
        assert found == pytest.approx([1, 0, 1e3], abs=1e-9)


def test_only_x_is_scored_and_a_better_start_of_y_helps_the_baseline():
    """Resetting y is a legitimate idea: from the right lower solution the baseline comes closer."""
    instance = instances(np.random.default_rng(4), "default")[0]
    p = instance.secret
    near = np.linalg.pinv(p.a) @ (p.a @ -p.c) + p.c
    inputs = {**instance.inputs, "y0": near}
    assert (
        run(lambda oracle, **_: baseline.solve(oracle, **inputs), instance).metrics["gap"]
        < 0.5 * run(baseline.solve, instance).metrics["gap"]
    )


def test_the_penalty_finds_the_optimistic_solution_and_leaning_descent_does_too():
    plain, paper, leaning = (
        np.log(gaps(program, 5) + 1e-6) for program in (baseline, reference, known_leaning_descent)
    )
    margins = plain - paper
    assert margins.mean() > 3 * margins.std(ddof=1) / np.sqrt(len(margins))
    assert margins.min() > 1
    assert leaning.mean() < paper.mean()


def test_generic_cheats_get_nothing():
    folder = load_task("penalty_bilevel_first_order")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
