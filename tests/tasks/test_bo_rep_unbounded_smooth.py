"""bo_rep_unbounded_smooth: derivatives, the hyper-objective, the noise, charges, and the gaps reached."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.bilevel import steep
from speciate.tasks.bilevel.bo_rep_unbounded_smooth import baseline, known_clipped, reference
from speciate.tasks.bilevel.bo_rep_unbounded_smooth.task import METHODS, Derivatives, instances, task

LOSSES = {
    "exponential": steep.EXPONENTIAL,
    "quartic": steep.QUARTIC,
    "recurrent": steep.recurrent(np.linspace(0.2, 0.8, 15)),
}
kinds = pytest.mark.parametrize("kind", LOSSES)


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, derivatives):
        self.derivatives = derivatives

    def __getattr__(self, method):
        return lambda *args: self.derivatives.serve(method, args, {})


def run(solve, instance):
    derivatives = Derivatives(instance)
    return judged(task, instance, solve(Direct(derivatives), **instance.inputs), derivatives.log)


def gaps(program, seed):
    verdicts = [run(program.solve, instance) for instance in instances(np.random.default_rng(seed), "default")]
    assert all(verdict.valid for verdict in verdicts)
    return np.array([verdict.metrics["gap"] for verdict in verdicts])


def problem(kind, bend=1.0):
    return steep.steep(np.random.default_rng(0), LOSSES[kind], nx=3, ny=6, bend=bend)


def upper(p, x, y):
    return p.loss.value(p.rows @ y - p.target).mean() + 0.005 * np.sum((x - p.best) ** 2)


def lower(p, x, y):
    u = y - p.matrix @ x - p.offset
    return 0.5 * u @ p.hessian @ u + p.bend * np.log(np.cosh(u)).sum()


@kinds
def test_derivatives_agree_with_finite_differences(kind):
    p, rng = problem(kind), np.random.default_rng(1)
    x, (y, v) = rng.standard_normal(3), rng.standard_normal((2, 6))
    in_x, in_y = p.upper_gradients(x, y)
    assert in_x == pytest.approx(approx_fprime(x, lambda at: upper(p, at, y), 1e-7), abs=1e-4)
    assert in_y == pytest.approx(approx_fprime(y, lambda at: upper(p, x, at), 1e-7), rel=1e-4, abs=1e-4)
    assert p.lower_gradient(x, y) == pytest.approx(approx_fprime(y, lambda at: lower(p, x, at), 1e-7), abs=1e-5)
    step = 1e-6
    in_y, in_x = p.lower_products(x, y, v)
    ends = [p.lower_gradient(x, y + sign * step * v) for sign in (1, -1)]
    assert in_y == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-6)
    assert in_x == pytest.approx(approx_fprime(x, lambda at: p.lower_gradient(at, y) @ v, 1e-7), abs=1e-5)


@kinds
def test_the_hypergradient_is_what_the_statement_says_and_vanishes_at_the_least_value(kind):
    p = problem(kind)
    for x in (p.best, p.best + 0.3):
        y = p.lower_solution(x)
        assert y == pytest.approx(minimize(lambda at, x=x: lower(p, x, at), np.zeros(6), tol=1e-12).x, abs=1e-5)
        fx, fy = p.upper_gradients(x, y)
        v = np.linalg.solve(np.stack([p.lower_products(x, y, unit)[0] for unit in np.eye(6)]), fy)
        assert fx - p.lower_products(x, y, v)[1] == pytest.approx(approx_fprime(x, p.value, 1e-7), rel=1e-3, abs=1e-5)
    assert p.value(p.best) == 0
    for spread in (0.01, 1, 30):
        assert p.value(p.best + spread * np.random.default_rng(2).standard_normal(3)) > 0


@kinds
def test_curvature_grows_with_the_slope_and_values_stay_finite(kind):
    p = problem(kind)
    curvatures = []
    for distance in (1.0, 19.0):
        x = p.best + distance * (p.start - p.best) / 19
        curvatures.append(np.linalg.norm(p.upper_gradients(x, p.lower_solution(x))[1]) / distance)
    assert curvatures[1] > 3 * curvatures[0]
    far = np.full(3, 1e6)
    assert p.value(far) == steep.LIMIT
    assert all(np.isfinite(part).all() for part in p.upper_gradients(far, p.lower_solution(far)))


def in_y(reply):
    return reply[1] if isinstance(reply, tuple) else reply


def test_noise_has_the_spread_that_the_statement_says_and_is_the_same_for_every_program():
    instance = instances(np.random.default_rng(0), "default")[0]
    p, x = instance.secret.problem, instance.secret.problem.best + 0.5
    y, v = p.lower_solution(x) + 1, np.ones(20)
    exact = {"gy": p.lower_gradient(x, y), "df": p.upper_gradients(x, y)[1], "hyy": p.lower_products(x, y, v)[0]}
    for method, mean in exact.items():
        args = (x, y, v) if method == "hyy" else (x, y)
        first, again, served = Derivatives(instance), Derivatives(instance), Derivatives(instance)
        assert np.array_equal(in_y(getattr(first, method)(*args)), in_y(getattr(again, method)(*args)))
        draws = np.array([in_y(getattr(served, method)(*args)) for _ in range(3000)])
        spread = np.abs(0.1 * mean) if method == "hyy" else np.hypot(0.3 * mean, 0.3)
        assert draws.mean(axis=0) == pytest.approx(mean, abs=0.1 * spread.max())
        assert draws.std(axis=0) == pytest.approx(spread, rel=0.1)


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.inputs["x0"], b.inputs["x0"])
        assert np.array_equal(a.secret.problem.rows, b.secret.problem.rows)
        assert not np.array_equal(a.secret.problem.best, c.secret.problem.best)
        spectrum = np.linalg.eigvalsh(a.secret.problem.hessian)
        assert a.inputs["mu"] == pytest.approx(spectrum[0])
        assert a.inputs["Lg"] == pytest.approx(spectrum[-1] + a.secret.problem.bend)


def test_each_call_costs_one_and_the_budget_holds():
    instance = instances(np.random.default_rng(0), "smoke")[0]
    derivatives = Derivatives(instance)
    oracle, x, y = Direct(derivatives), np.zeros(10), np.zeros(20)
    for method in METHODS:
        getattr(oracle, method)(*((x, y, y) if method.startswith("h") else (x, y)))
    assert derivatives.log.spent == 4
    for _ in range(996):
        oracle.gy(x, y)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.df(x, y)


@pytest.mark.parametrize("bad", [None, "x", 0.0, [], np.zeros(4), np.zeros((1, 10)), np.full(10, np.nan), [1e10] * 10])
def test_other_arrays_are_refused_but_charged_and_no_answers(bad):
    instance = instances(np.random.default_rng(0), "smoke")[0]
    derivatives = Derivatives(instance)
    x, y = np.zeros(10), np.zeros(20)
    for wrong in ((bad, y), (x, bad), (x,), (x, y, y)):
        with pytest.raises(OracleRefused):
            Direct(derivatives).df(*wrong)
    with pytest.raises(OracleRefused):
        Direct(derivatives).hxy(x, y, bad)
    assert derivatives.log.spent == 5
    assert not judged(task, instance, bad, None).valid


def test_a_point_that_ran_away_is_ten_times_as_bad_as_the_start():
    for instance in instances(np.random.default_rng(0), "default"):
        at_start, away = (
            judged(task, instance, x, None).metrics["gap"] for x in (instance.inputs["x0"], np.full(10, 1e9))
        )
        assert at_start > 100
        assert away == pytest.approx(10 * at_start)


def test_normalised_steps_win_and_clipping_does_as_well():
    plain, paper, clipped = (np.log(gaps(program, 5) + 1e-3) for program in (baseline, reference, known_clipped))
    margins = plain - paper
    assert margins.mean() > 3 * margins.std(ddof=1) / np.sqrt(len(margins))
    assert abs(clipped.mean() - paper.mean()) < 1


def test_generic_cheats_get_nothing():
    folder = load_task("bo_rep_unbounded_smooth")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
