"""greedy_block_prox_newton: optima against scikit-learn, the certificate, and what the judge refuses."""

import numpy as np
import pytest

from speciate.evaluators import State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.source import check_source
from speciate.evaluators.trial import MAIN, attempt, judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.optimizers.greedy_block_prox_newton import baseline, known_active_set, reference
from speciate.tasks.optimizers.greedy_block_prox_newton.task import instances, task
from speciate.tasks.optimizers.sparse_regression import relative_gap, sparse_problem

PROGRAMS = [baseline, reference, known_active_set]


def objective(inputs, x):
    z = inputs["A"] @ x
    squared = inputs["loss"] == "squared"
    fit = 0.5 * np.sum((z - inputs["y"]) ** 2) if squared else np.logaddexp(0, -inputs["y"] * z).sum()
    return fit + inputs["lam"] * np.abs(x).sum()


@pytest.fixture(scope="module")
def default():
    return instances(np.random.default_rng(0), "default")


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_end_and_are_valid_on_many_problems(program):
    for seed in range(15, 21):
        for instance in instances(np.random.default_rng(seed), "smoke"):
            assert judged(task, instance, program.solve(**instance.inputs), None).valid


def test_the_reference_is_valid_at_full_size_and_ends_far_beyond_the_tolerance(default):
    digits = [judged(task, i, reference.solve(**i.inputs), None).metrics["digits"] for i in default]
    assert min(digits) >= 8
    assert np.median(digits) > 11


def test_the_reference_agrees_with_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model")
    squared, logistic = instances(np.random.default_rng(1), "smoke")
    A, y, lam = (squared.inputs[name] for name in ("A", "y", "lam"))
    lasso = linear.Lasso(alpha=lam / len(y), fit_intercept=False, tol=1e-12, max_iter=100_000).fit(A, y)
    found = reference.solve(**squared.inputs)
    assert found == pytest.approx(lasso.coef_, abs=1e-4)
    assert np.array_equal(found != 0, lasso.coef_ != 0)
    A, y, lam = (logistic.inputs[name] for name in ("A", "y", "lam"))
    model = linear.LogisticRegression(
        l1_ratio=1, C=1 / lam, solver="saga", fit_intercept=False, tol=1e-10, max_iter=20_000
    ).fit(A, y)
    theirs = objective(logistic.inputs, model.coef_[0])
    assert objective(logistic.inputs, reference.solve(**logistic.inputs)) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_the_gap_bounds_how_far_a_point_is_from_the_optimum(loss):
    rng = np.random.default_rng(2)
    A, y, lam = sparse_problem(rng, loss, 60, 40, 0.3, 0.1)
    inputs = {"A": A, "y": y, "lam": lam, "loss": loss}
    best = reference.solve(**inputs, tol=1e-12)
    at_zero = objective(inputs, np.zeros(40))
    for spread in (1e-3, 1e-1, 1.0):
        x = best + spread * rng.standard_normal(40)
        assert relative_gap(A, y, lam, loss, x) >= (objective(inputs, x) - objective(inputs, best)) / at_zero
    assert relative_gap(A, y, lam, loss, np.zeros(40)) > 0.01


def test_zero_is_optimal_from_the_weight_on_that_shares_refer_to():
    for loss in ("squared", "logistic"):
        A, y, lam = sparse_problem(np.random.default_rng(3), loss, 50, 30, 0.5, 1.0)
        assert relative_gap(A, y, lam, loss, np.zeros(30)) < 1e-12
        assert relative_gap(A, y, 0.99 * lam, loss, np.zeros(30)) > 1e-6


@pytest.mark.parametrize("number", [0, 1])
def test_sparser_or_less_converged_answers_are_refused(number):
    instance = instances(np.random.default_rng(4), "smoke")[number]
    best = reference.solve(**instance.inputs)
    small = np.where(np.abs(best) == np.abs(best[best != 0]).min(), 0.0, best)
    assert not judged(task, instance, small, None).valid
    early = baseline.solve(**{**instance.inputs, "tol": 1e-5})
    assert not judged(task, instance, early, None).valid
    assert not judged(task, instance, np.zeros(best.size), None).valid


@pytest.mark.parametrize(
    "x", [None, "x", 0.0, [], np.zeros(3), np.zeros((1, 300)), np.full(300, np.nan), np.full(300, 1e5)]
)
def test_other_outputs_are_no_answers(x):
    assert not judged(task, instances(np.random.default_rng(0), "smoke")[0], x, None).valid


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.inputs["A"], b.inputs["A"])
        assert np.array_equal(a.inputs["y"], b.inputs["y"])
        assert a.inputs["lam"] == b.inputs["lam"] != c.inputs["lam"]


def test_a_compiled_lasso_is_not_to_be_had():
    source = "def solve(A, y, lam, loss, tol):\n    import sklearn.linear_model\n    return A[0] * 0\n"
    assert check_source(task, {MAIN: source})
    instance = instances(np.random.default_rng(0), "smoke")[0]
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        assert attempt(task, sandbox, {MAIN: source}, instance, task.limits.run).state is not State.VALID


def test_generic_cheats_get_nothing():
    folder = load_task("greedy_block_prox_newton")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
