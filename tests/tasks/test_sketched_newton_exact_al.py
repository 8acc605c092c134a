"""sketched_newton_exact_al: derivatives, each operation and its price, what is accepted, and the flops needed."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.sparse.linalg import minres as scipys

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.second_order.equality import logistic, quadratic
from speciate.tasks.second_order.sketched_newton_exact_al import baseline, known_minres, reference
from speciate.tasks.second_order.sketched_newton_exact_al.task import Operations, instances, residual, task

kinds = pytest.mark.parametrize("kind", [quadratic, logistic])


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, operations):
        self.operations = operations

    def __getattr__(self, method):
        return lambda *args: self.operations.serve(method, args, {})


def run(solve, instance):
    operations = Operations(instance)
    verdict = judged(task, instance, solve(Direct(operations), **instance.inputs), operations.log)
    return verdict, operations.log.spent


def small(kind=quadratic):
    problem, rng = kind(np.random.default_rng(0), 12, 3), np.random.default_rng(1)
    x0 = rng.standard_normal(12)
    inputs = {"n": 12, "m": 3, "x0": x0, "lam0": np.zeros(3), "target": 1e-6, "budget": 1.0}
    return type(instances(np.random.default_rng(0), "smoke")[0])("small", inputs, problem)


@kinds
def test_derivatives_agree_with_finite_differences(kind):
    problem, rng = kind(np.random.default_rng(0), 12, 3), np.random.default_rng(1)
    x, lam = rng.standard_normal(12), rng.standard_normal(3)
    gradient, c, _ = problem.slopes(x, lam)

    def lagrangian(at):
        _, found, f = problem.slopes(at, lam)
        return f + lam @ found

    assert gradient == pytest.approx(approx_fprime(x, lagrangian, 1e-7), abs=1e-5)
    matrix, rhs = problem.newton(x, lam)
    assert rhs == pytest.approx(-np.concatenate([gradient, c]))
    assert matrix == pytest.approx(matrix.T)
    for i in range(12):
        assert matrix[i, :12] == pytest.approx(
            approx_fprime(x, lambda at, i=i: problem.slopes(at, lam)[0][i], 1e-7), abs=1e-5
        )
    for i in range(3):
        assert matrix[12 + i, :12] == pytest.approx(
            approx_fprime(x, lambda at, i=i: problem.slopes(at, lam)[1][i], 1e-7), abs=1e-5
        )


@kinds
def test_the_solution_is_scipys(kind):
    instance = small(kind)
    problem = instance.secret
    found = minimize(
        lambda x: problem.slopes(x, np.zeros(3))[2], instance.inputs["x0"], method="SLSQP", tol=1e-12,
        jac=lambda x: problem.slopes(x, np.zeros(3))[0],
        constraints={"type": "eq", "fun": lambda x: problem.slopes(x, np.zeros(3))[1]},
    )  # fmt: skip
    for program in (baseline, reference, known_minres):
        x, lam = program.solve(Direct(Operations(instance)), **instance.inputs)
        assert residual(problem, x, lam) <= 1e-6
        assert x == pytest.approx(found.x, abs=1e-4)


def test_operations_are_those_of_the_newton_system_and_have_their_prices():
    instance = small()
    operations = Operations(instance)
    oracle, rng = Direct(operations), np.random.default_rng(2)
    x, lam = instance.inputs["x0"], np.ones(3)
    matrix, rhs = instance.secret.newton(x, lam)
    z, v, w = rng.standard_normal(15), rng.standard_normal(12), rng.standard_normal(3)

    def priced(flops, method, *args):
        before = operations.log.spent
        reply = getattr(oracle, method)(*args)
        assert operations.log.spent - before == pytest.approx(flops / 1e6)
        return reply

    assert priced(0, "set_point", x, lam) is None
    assert priced(4 * 12 * 15, "kkt", x, lam)[0] == pytest.approx(-rhs[:12])
    assert priced(450, "matvec", z) == pytest.approx(matrix @ z)
    assert priced(450, "row_norms") == pytest.approx(np.linalg.norm(matrix, axis=1))
    assert matrix @ priced(2 * 15**3 / 3 + 450, "direct") == pytest.approx(rhs)
    assert priced(288, "hess_vec", v) == pytest.approx(matrix[:12, :12] @ v)
    assert priced(72, "jac_vec", v) == pytest.approx(matrix[12:, :12] @ v)
    assert priced(72, "jac_t_vec", w) == pytest.approx(matrix[:12, 12:] @ w)
    near = priced(120, "kaczmarz", z, [4, 7])
    assert matrix[7] @ near == pytest.approx(rhs[7])
    assert priced(120, "kaczmarz", z, (4, 7)) == pytest.approx(near)
    one = z + (rhs[4] - matrix[4] @ z) / (matrix[4] @ matrix[4]) * matrix[4]
    assert near == pytest.approx(one + (rhs[7] - matrix[7] @ one) / (matrix[7] @ matrix[7]) * matrix[7])
    for _ in range(300):
        z = oracle.kaczmarz(z, rng.permutation(15))
        if operations.log.spent > 0.9:
            break
    assert np.linalg.norm(matrix @ z - rhs) < 0.1 * np.linalg.norm(rhs)


def test_reading_the_matrix_costs_more_than_solving_with_it():
    operations = Operations(instances(np.random.default_rng(0), "smoke")[0])
    probe = 400 * operations.cost("matvec", ())
    assert probe > 2.9 * operations.cost("direct", ())
    assert operations.cost("kaczmarz", (np.zeros(400), np.arange(400))) < operations.cost("direct", ()) / 60


@pytest.mark.parametrize("method", ["matvec", "direct", "kaczmarz", "jac_vec"])
def test_nothing_is_answered_before_a_point_is_set(method):
    args = {"matvec": (np.zeros(15),), "direct": (), "kaczmarz": (np.zeros(15), [0]), "jac_vec": (np.zeros(12),)}[
        method
    ]
    with pytest.raises(OracleRefused, match="set"):
        getattr(Direct(Operations(small())), method)(*args)


@pytest.mark.parametrize("bad", [None, "x", 0.0, [], np.zeros(4), np.zeros((1, 15)), np.full(15, np.nan), [1e10] * 15])
def test_other_arguments_are_refused(bad):
    operations = Operations(small())
    oracle = Direct(operations)
    oracle.set_point(np.zeros(12), np.zeros(3))
    for method, args in (("matvec", (bad,)), ("kaczmarz", (bad, [0])), ("kkt", (bad, np.zeros(3))), ("direct", (bad,))):
        with pytest.raises(OracleRefused):
            getattr(oracle, method)(*args)
    for rows in (None, "0", [15], [-1], [0.5], [[0]], [[0], [0, 1]], np.zeros(31, int)):
        with pytest.raises(OracleRefused):
            oracle.kaczmarz(np.zeros(15), rows)
    assert operations.log.spent > 0


def test_only_points_that_reach_the_target_are_accepted():
    instance = small()
    x, lam = baseline.solve(Direct(Operations(instance)), **instance.inputs)
    assert judged(task, instance, (x, lam), None).valid
    for wrong in ((x + 1e-5, lam), (x, lam + 1e-5), (x, lam[:2]), x, None, (x, lam, x), (np.full(12, np.nan), lam)):
        assert not judged(task, instance, wrong, None).valid


def test_the_known_programs_minres_is_scipys():
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((20, 20))
    matrix, rhs = matrix + matrix.T + 5 * np.diag(np.sign(rng.standard_normal(20))), rng.standard_normal(20)
    ours = known_minres.minres(lambda v: matrix @ v, rhs)
    assert np.linalg.norm(matrix @ ours - rhs) <= 0.1 * np.linalg.norm(rhs) * (1 + 1e-9)
    exact, failed = scipys(matrix, rhs, rtol=1e-12)
    assert failed == 0
    assert np.linalg.norm(ours - exact) < np.linalg.norm(exact)


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "smoke")[0] for s in (1, 1, 2))
    assert np.array_equal(first.inputs["x0"], again.inputs["x0"])
    assert first.inputs["target"] == again.inputs["target"] != other.inputs["target"]


def test_sketched_steps_need_fewer_flops_and_krylov_steps_fewer_still():
    costs = []
    for program in (baseline, reference, known_minres):
        found = [run(program.solve, instance) for instance in instances(np.random.default_rng(5), "default")]
        assert all(verdict.valid for verdict, _ in found)
        costs.append(np.log([spent for _, spent in found]))
    gains = costs[0] - costs[1]
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert costs[2].mean() < costs[1].mean()


def test_generic_cheats_get_nothing():
    folder = load_task("sketched_newton_exact_al")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
