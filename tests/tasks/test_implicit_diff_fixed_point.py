"""implicit_diff_fixed_point: maps and products against torch and differences, the exact gradient, charges, errors."""

import numpy as np
import pytest
from scipy.optimize import root

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.bilevel import fixed_points
from speciate.tasks.bilevel.implicit_diff_fixed_point import baseline, known_neumann, reference
from speciate.tasks.bilevel.implicit_diff_fixed_point.task import KINDS, Map, instances, solved, task

kinds = pytest.mark.parametrize("draw", KINDS, ids=[draw.__name__ for draw in KINDS])


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, served):
        self.served = served

    def __getattr__(self, method):
        return lambda *args: self.served.serve(method, args, {})


def run(hypergrad, instance):
    served = Map(instance)
    return judged(task, instance, hypergrad(Direct(served), **instance.inputs), served.log)


def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def moved(problem, theta):
    """The same problem at other parameters and, as the paper's T has it, the same step size."""
    fields = {name: getattr(problem, name) for name in problem.__dataclass_fields__}
    changed = type(problem)(**{**fields, "theta": theta})
    if hasattr(problem, "rate"):
        changed.__dict__["rate"] = problem.rate
    return changed


@kinds
def test_products_agree_with_differences_of_the_map(draw):
    rng = np.random.default_rng(1)
    problem = draw(rng, 18)
    x = fixed_points.solution(problem)
    in_x, in_theta = fixed_points.jacobians(problem, x)
    for wiggle, columns, at in (
        (np.eye(x.size), in_x, lambda v: problem.step(x + v)),
        (np.eye(problem.theta.size), in_theta, lambda v: moved(problem, problem.theta + v).step(x)),
    ):
        step = 1e-6
        differences = np.stack([(at(step * v) - at(-step * v)) / (2 * step) for v in wiggle], axis=1)
        assert columns == pytest.approx(differences, abs=1e-6)


@kinds
def test_exact_gradients_are_how_the_solution_moves(draw):
    rng = np.random.default_rng(2)
    problem = draw(rng, 18)
    x = fixed_points.solution(problem)
    (cot,) = fixed_points.cotangents(rng, problem, x, 1)
    exact = fixed_points.implicit_gradients(problem, x, [cot])[0]
    direction, step = rng.standard_normal(problem.theta.size), 1e-5
    ends = []
    for sign in (1, -1):
        at = moved(problem, problem.theta + sign * step * direction)
        near = x.copy()
        for _ in range(20_000):
            near, before = at.step(near), near
            if np.abs(near - before).max() < 1e-14:
                break
        ends.append(near @ cot)
    assert exact @ direction == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-3, abs=1e-5)


@kinds
def test_the_iteration_reaches_the_solution_from_its_start(draw):
    problem = draw(np.random.default_rng(3), 18)
    x, solution = problem.start, fixed_points.solution(problem)
    assert np.linalg.norm(problem.step(solution) - solution) < 1e-12
    first = np.linalg.norm(x - solution)
    for _ in range(5000):
        x = problem.step(x)
    # The packing's last modes are slow.
    assert np.linalg.norm(x - solution) < (0.2 if draw is fixed_points.packing else 1e-4) * first


def test_maps_agree_with_torch():
    torch = pytest.importorskip("torch")
    problem = fixed_points.logistic(np.random.default_rng(0), 18)
    x = np.random.default_rng(1).standard_normal(18)
    weights = torch.tensor(x.reshape(6, 3), requires_grad=True)
    theta, features = torch.tensor(problem.theta), torch.tensor(problem.features)
    loss = torch.nn.functional.cross_entropy(features @ weights, torch.tensor(problem.labels.argmax(axis=1)))
    (loss + 0.5 * (theta.exp()[:, None] * weights**2).sum()).backward()
    assert weights.grad is not None
    assert problem.step(x) == pytest.approx(x - problem.rate * weights.grad.numpy().ravel(), abs=1e-12)


def test_the_lasso_agrees_with_its_optimality_conditions_and_the_layer_with_scipys_root():
    problem = fixed_points.lasso(np.random.default_rng(0), 18)
    x, penalty = fixed_points.solution(problem), np.exp(problem.theta)
    pull = -problem.features.T @ (problem.features @ x - problem.targets) / len(problem.targets)
    assert pull[x != 0] == pytest.approx((penalty * np.sign(x))[x != 0], abs=1e-9)
    assert np.all(np.abs(pull) <= penalty + 1e-9)
    assert 0 < np.sum(x != 0) < 18
    layer = fixed_points.equilibrium(np.random.default_rng(0), 18)
    found = root(lambda y: layer.step(y) - y, layer.start, tol=1e-12).x
    assert fixed_points.solution(layer) == pytest.approx(found, abs=1e-8)


def test_a_packing_may_be_moved_as_a_whole_and_touches():
    problem = fixed_points.packing(np.random.default_rng(0), 18)
    x = fixed_points.solution(problem)
    shift = np.tile([0.3, -0.2], 9)
    assert problem.step(x + shift) == pytest.approx(x + shift, abs=1e-11)
    in_x, in_theta = problem.vjp(x, shift)
    assert in_x == pytest.approx(shift, abs=1e-11)
    assert in_theta == pytest.approx(np.zeros(9), abs=1e-11)
    assert problem.energy(x)[0] > 1e-3


def test_layers_that_oscillate_are_drawn_anew():
    made = []

    def draw(rng, n):
        layer = fixed_points.equilibrium(rng, n)
        made.append(layer)
        if len(made) > 1:
            return layer
        return fixed_points.Equilibrium(-50 * np.eye(n), layer.outer, layer.bias, layer.theta)

    problem, x = solved(draw, np.random.default_rng(0), 18)
    assert len(made) == 2
    assert problem.step(x) == pytest.approx(x, abs=1e-12)
    turning = fixed_points.Equilibrium(np.array([[-1.0, -9.0], [9.0, -1.0]]), np.eye(2), np.zeros(2), np.ones(2))
    with pytest.raises(ArithmeticError):
        solved(lambda rng, n: turning, np.random.default_rng(0), 2)


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "smoke") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.secret.gradients, b.secret.gradients)
        assert np.array_equal(a.inputs["cots"], b.inputs["cots"])
        assert not np.allclose(a.secret.gradients, c.secret.gradients)


def test_calls_are_charged_by_kind_and_stop_at_the_budget():
    instance = smoke()
    served = Map(instance)
    oracle, x = Direct(served), instance.inputs["x_star"]
    oracle.step(x)
    oracle.vjp(x, x)
    assert served.log.spent == 3
    for _ in range(38):
        oracle.vjp(x, x)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.vjp(x, x)
    oracle.step(x)
    assert served.log.spent == instance.inputs["budget"] == 80


@pytest.mark.parametrize("bad", [None, "x", 0.0, [], np.zeros(7), np.zeros((1, 30)), np.full(30, np.nan), [1e7] * 30])
def test_other_arrays_are_refused_but_charged_and_no_answers(bad):
    instance = smoke()
    served, x = Map(instance), instance.inputs["x_star"]
    for wrong in ((bad, x), (x, bad), (x,), (x, x, x)):
        with pytest.raises(OracleRefused):
            Direct(served).vjp(*wrong)
    assert served.log.spent == 8
    assert not judged(task, instance, bad, None).valid


def test_errors_are_of_the_worst_row_one_at_zero_and_bounded():
    instance = smoke()
    exact = instance.secret.gradients
    half = exact.copy()
    half[1] = 0
    for output, error in ((exact, 0), (half, 1), (np.zeros_like(exact), 1), (np.full(exact.shape, 1e6), 1e3)):
        assert judged(task, instance, output, None).metrics["error"] == pytest.approx(error)
    for wrong in (exact[0], exact.T, np.full(exact.shape, np.nan), exact * 1j):
        assert not judged(task, instance, wrong, None).valid


def test_one_product_at_the_solution_is_no_answer():
    """It leaves out how x* itself moves: the sum over all powers of dT/dx."""

    def direct(oracle, n, p, x0, x_star, cots, budget):
        return np.stack([oracle.vjp(x_star, cot)[1] for cot in cots])

    for instance in instances(np.random.default_rng(0), "smoke"):
        assert run(direct, instance).metrics["error"] > 0.3


def test_implicit_differentiation_beats_unrolling_and_its_neumann_series():
    made = instances(np.random.default_rng(5), "default")
    plain, series, paper = (
        np.log([run(program.hypergrad, instance).metrics["error"] + 1e-10 for instance in made])
        for program in (baseline, known_neumann, reference)
    )
    margins = plain - paper
    assert margins.mean() > 3 * margins.std(ddof=1) / np.sqrt(len(margins))
    assert margins.min() > 2
    assert np.all(series > paper + 1)
    assert series.mean() < plain.mean()


def test_generic_cheats_get_nothing():
    folder = load_task("implicit_diff_fixed_point")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
