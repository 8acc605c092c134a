"""rarts_bilevel: gradients, the hyper-objective and its optimum, noise, refusals, and where each method ends."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.bilevel import architectures
from speciate.tasks.bilevel.rarts_bilevel import baseline, known_implicit, reference
from speciate.tasks.bilevel.rarts_bilevel.task import Losses, Search, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, losses):
        self.losses = losses

    def grad(self, *args):
        return self.losses.serve("grad", args, {})


def run(search, instance):
    losses = Losses(instance)
    return judged(task, instance, search(Direct(losses), **instance.inputs), losses.log)


def gaps(program, seed):
    verdicts = [run(program.search, instance) for instance in instances(np.random.default_rng(seed), "default")]
    assert all(verdict.valid for verdict in verdicts)
    return np.array([verdict.metrics["gap"] for verdict in verdicts])


def model(bend=1.0):
    return architectures.vector(np.random.default_rng(0), n=6, k=3, bend=bend)


def training(m, w, a):
    r = m.q @ (w - m.b @ a)
    return np.sum(r**2 / 2 + m.bend * np.log(np.cosh(r)))


def validation(m, w, a):
    w, a = w - m.b @ m.centre, a - m.centre
    return np.sum((m.p @ w - m.c) ** 2) / 2 + a @ m.d @ w - m.e @ a


@pytest.mark.parametrize("bend", [0.0, 1.0])
def test_gradients_agree_with_finite_differences_and_curvature_is_bounded(bend):
    m, rng = model(bend), np.random.default_rng(1)
    w, a = rng.standard_normal(6), rng.standard_normal(3)
    for gradients, loss in ((m.training, training), (m.validation, validation)):
        in_w, in_a = gradients(w, a)
        assert in_w == pytest.approx(approx_fprime(w, lambda at, f=loss: f(m, at, a), 1e-7), abs=1e-5)
        assert in_a == pytest.approx(approx_fprime(a, lambda at, f=loss: f(m, w, at), 1e-7), abs=1e-5)
        for _ in range(100):
            dw, da = 0.1 * rng.standard_normal(6), 0.1 * rng.standard_normal(3)
            change = np.concatenate(gradients(w + dw, a + da)) - np.concatenate(gradients(w, a))
            assert np.linalg.norm(change) <= m.smoothness * np.linalg.norm(np.concatenate([dw, da]))


@pytest.mark.parametrize("bend", [0.0, 1.0])
def test_the_excess_is_that_of_the_validation_loss_at_trained_weights(bend):
    m = model(bend)

    def hyper(a):
        trained = minimize(lambda w: training(m, w, a), np.zeros(6), tol=1e-12).x
        assert trained == pytest.approx(m.b @ a, abs=1e-3)
        return validation(m, m.b @ a, a)

    found = minimize(hyper, m.centre, tol=1e-10)
    assert found.x == pytest.approx(m.optimum, abs=1e-4)
    for a in np.random.default_rng(2).standard_normal((3, 3)):
        assert m.excess(a) == pytest.approx(hyper(a) - found.fun, rel=1e-6)


def test_the_papers_solvable_model_is_the_scalar_one():
    """L_train = (w - a)^2 and L_val = a w - 2 a: first-order descent ends at 2, the bilevel optimum is 1."""
    one, zero = np.ones((1, 1)), np.zeros((1, 1))
    m = architectures.Relaxed(np.sqrt(2) * one, one, zero, zero[0], one, 2 * one[0], centre=zero[0], bend=0.0)
    assert m.optimum == pytest.approx(np.ones(1))
    make = type(instances(np.random.default_rng(0), "smoke")[0])
    inputs = {"w0": np.array([2.0]), "a0": np.array([-2.0]), "L": m.smoothness, "budget": 4000}
    ends = [
        program.search(Direct(Losses(make("one", inputs, Search(m, 0.0, 0)))), **inputs)[0]
        for program in (baseline, reference, known_implicit)
    ]
    assert ends[0] == pytest.approx(2, abs=1e-3)
    assert ends[1] == pytest.approx(1, abs=0.02)
    assert ends[2] == pytest.approx(1, abs=1e-3)


def exact_gradients(instance):
    return instance.secret.model.validation(instance.inputs["w0"], instance.inputs["a0"])


def test_noise_multiplies_entries_in_half_of_the_problems_and_is_the_same_for_every_program():
    made = instances(np.random.default_rng(0), "default")
    for instance in made:
        inputs, exact = instance.inputs, exact_gradients(instance)
        first, again = (Losses(instance).grad("val", inputs["w0"], inputs["a0"]) for _ in range(2))
        assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
        same = all(np.array_equal(one, other) for one, other in zip(first, exact, strict=True))
        assert same == (instance.secret.noise == 0)
    assert [instance.secret.noise for instance in made] == 4 * [0.0] + 4 * [0.1]
    losses, inputs = Losses(made[-1]), made[-1].inputs
    draws = np.array([losses.grad("val", inputs["w0"], inputs["a0"])[0] for _ in range(3000)])
    assert draws.std(axis=0) == pytest.approx(0.1 * np.abs(exact_gradients(made[-1])[0]), rel=0.1)


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.inputs["a0"], b.inputs["a0"])
        assert np.array_equal(a.secret.model.optimum, b.secret.model.optimum)
        assert not np.array_equal(a.secret.model.optimum, c.secret.model.optimum)
        assert np.linalg.norm(a.inputs["a0"] - a.secret.model.optimum) == pytest.approx(10)


def test_each_call_costs_one_and_the_budget_holds():
    losses = Losses(instances(np.random.default_rng(0), "smoke")[1])
    oracle, w, a = Direct(losses), np.zeros(20), np.zeros(5)
    for _ in range(600):
        oracle.grad("train", w, a)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.grad("val", w, a)


@pytest.mark.parametrize("bad", [None, "x", 0.0, [], np.zeros(4), np.zeros((1, 5)), np.full(5, np.nan), [1e10] * 5])
def test_other_arguments_are_refused_but_charged_and_no_answers(bad):
    instance = instances(np.random.default_rng(0), "smoke")[1]
    losses = Losses(instance)
    w, a = np.zeros(20), np.zeros(5)
    for wrong in (("val", w, bad), ("val", bad, a), ("test", w, a), (bad, w, a), ("val", w), (w, a)):
        with pytest.raises(OracleRefused):
            Direct(losses).grad(*wrong)
    assert losses.log.spent == 6
    assert not judged(task, instance, bad, None).valid


def test_gaps_are_one_at_the_start_zero_at_the_optimum_and_bounded():
    for instance in instances(np.random.default_rng(0), "default"):
        optimum = instance.secret.model.optimum
        points = (instance.inputs["a0"], optimum, np.full(optimum.size, 1e9))
        found = [judged(task, instance, a, None).metrics["gap"] for a in points]
        assert found == pytest.approx([1, 0, 1e3])


def test_the_relaxation_wins_and_implicit_differentiation_by_differences_comes_closer():
    plain, paper, implicit = (np.log(gaps(program, 5) + 1e-8) for program in (baseline, reference, known_implicit))
    margins = plain - paper
    assert margins.mean() > 3 * margins.std(ddof=1) / np.sqrt(len(margins))
    assert margins.min() > 1
    assert implicit.mean() < paper.mean()


def test_generic_cheats_get_nothing():
    folder = load_task("rarts_bilevel")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
