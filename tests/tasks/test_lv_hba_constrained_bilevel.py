"""lv_hba_constrained_bilevel: derivatives, the closed form against scipy, charges and refusals, the gaps reached."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.bilevel import workloads
from speciate.tasks.bilevel.lv_hba_constrained_bilevel import baseline, known_leaning_descent, reference
from speciate.tasks.bilevel.lv_hba_constrained_bilevel.task import COSTS, Levels, instances, task


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


def problem():
    return workloads.coupled(np.random.default_rng(0), 4)


def upper(p, x, y):
    return 0.5 * np.sum((x - y[4:]) ** 2) + 0.5 * np.sum((y[:4] - p.wanted) ** 2)


def lower(p, x, y):
    return 0.5 * y[:4] @ p.quadratic @ y[:4] - (p.matrix @ x) @ y[:4] - p.price * p.a3 @ y[4:]


def slack(p, x, y):
    return -(p.a1 @ x + p.a2 @ y[:4] + p.a3 @ y[4:])


def test_derivatives_agree_with_finite_differences():
    p, rng = problem(), np.random.default_rng(1)
    x, (y, v) = rng.standard_normal(4), rng.standard_normal((2, 8))
    for gradients, function in ((p.upper_gradients, upper), (p.lower_gradients, lower)):
        in_x, in_y = gradients(x, y)
        assert in_x == pytest.approx(approx_fprime(x, lambda at, f=function: f(p, at, y), 1e-7), abs=1e-5)
        assert in_y == pytest.approx(approx_fprime(y, lambda at, f=function: f(p, x, at), 1e-7), abs=1e-5)
    in_y, in_x = p.lower_products(v)
    ahead, behind = p.lower_gradients(x, y + v), p.lower_gradients(x, y - v)
    assert in_y == pytest.approx((ahead[1] - behind[1]) / 2)
    assert in_x == pytest.approx((ahead[0] - behind[0]) / 2)


def test_the_closed_form_is_the_least_of_F_over_the_lower_solutions():
    p = problem()
    for x in np.random.default_rng(2).standard_normal((3, 4)):
        least = minimize(
            lambda y, x=x: lower(p, x, y), np.zeros(8), method="SLSQP", tol=1e-12,
            constraints={"type": "ineq", "fun": lambda y, x=x: slack(p, x, y)},
        )  # fmt: skip
        assert slack(p, x, least.x) == pytest.approx(0, abs=1e-7)
        first = least.x[:4]
        best = minimize(
            lambda y2, x=x, y1=first: upper(p, x, np.concatenate([y1, y2])), least.x[4:], method="SLSQP", tol=1e-12,
            constraints={"type": "eq", "fun": lambda y2, x=x, y1=first: slack(p, x, np.concatenate([y1, y2]))},
        )  # fmt: skip
        assert p.value(x) == pytest.approx(best.fun, rel=1e-4)


def test_the_optimum_is_that_of_the_conditions_of_optimality():
    """One level: min F over (x, y) where the lower level's conditions hold with the multiplier p."""
    p = problem()

    def conditions(at):
        x, y = at[:4], at[4:]
        return np.append(p.quadratic @ y[:4] - p.matrix @ x + p.price * p.a2, slack(p, x, y))

    found = minimize(
        lambda at: upper(p, at[:4], at[4:]), np.zeros(12), method="SLSQP", tol=1e-12,
        constraints={"type": "eq", "fun": conditions},
    )  # fmt: skip
    assert p.value(p.optimum) == pytest.approx(found.fun, rel=1e-6)
    assert p.optimum == pytest.approx(found.x[:4], abs=1e-4)


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.inputs["W"], b.inputs["W"])
        assert np.array_equal(a.secret.quadratic, b.secret.quadratic)
        assert not np.array_equal(a.secret.optimum, c.secret.optimum)


def test_calls_are_charged_by_kind_and_stop_at_the_budget():
    levels = Levels(instances(np.random.default_rng(0), "smoke")[0])
    oracle, x, y = Direct(levels), np.zeros(10), np.zeros(20)
    oracle.dF(x, y)
    oracle.df(x, y)
    oracle.hyy(x, y, y)
    oracle.hxy(x, y, y)
    assert levels.log.spent == sum(COSTS.values()) == 6
    for _ in range((int(levels.budget) - 6) // 2):
        oracle.hyy(x, y, y)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.df(x, y)


@pytest.mark.parametrize("bad", [None, "x", 0.0, [], np.zeros(4), np.zeros((1, 10)), np.full(10, np.nan), [1e10] * 10])
def test_other_arrays_are_refused_but_charged_and_no_answers(bad):
    instance = instances(np.random.default_rng(0), "smoke")[0]
    levels = Levels(instance)
    x, y = np.zeros(10), np.zeros(20)
    for wrong in ((bad, y), (x, bad), (x,), (x, y, y)):
        with pytest.raises(OracleRefused):
            Direct(levels).df(*wrong)
    with pytest.raises(OracleRefused):
        Direct(levels).hxy(x, y, bad)
    assert levels.log.spent == 6
    assert not judged(task, instance, bad, None).valid


def test_gaps_are_one_at_zero_zero_at_the_optimum_and_bounded():
    for instance in instances(np.random.default_rng(0), "default"):
        n = instance.inputs["nx"]
        points = (np.zeros(n), instance.secret.optimum, np.full(n, 1e9))
        found = [judged(task, instance, x, None).metrics["gap"] for x in points]
        assert found == pytest.approx([1, 0, 1e3], abs=1e-9)


def test_the_baseline_stalls_however_long_it_runs():
    """It follows the y2 where its descent arrived, not the best one."""
    instance = instances(np.random.default_rng(3), "default")[1]
    longer = type(instance)("longer", {**instance.inputs, "budget": 12_000}, instance.secret)
    short, long = (run(baseline.solve, one).metrics["gap"] for one in (instance, longer))
    assert long > 0.5 * short
    assert run(reference.solve, longer).metrics["gap"] < 0.5 * run(reference.solve, instance).metrics["gap"]


def test_the_value_function_finds_the_optimistic_solution_and_leaning_descent_does_too():
    plain, paper, leaning = (
        np.log(gaps(program, 5) + 1e-5) for program in (baseline, reference, known_leaning_descent)
    )
    margins = plain - paper
    assert margins.mean() > 3 * margins.std(ddof=1) / np.sqrt(len(margins))
    assert leaning.mean() < paper.mean()


def test_generic_cheats_get_nothing():
    folder = load_task("lv_hba_constrained_bilevel")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
