"""diffgrad_friction: the functions, trajectories against published code, and what the friction amounts to."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from speciate.evaluators import State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.optimizers import stochastic
from speciate.tasks.optimizers.diffgrad_friction import baseline, known_half_rate, known_linear_decay, reference
from speciate.tasks.optimizers.diffgrad_friction.task import instances, task
from speciate.tasks.optimizers.stochastic import NoisyGradients

KINDS = {
    "wells": lambda rng: stochastic.wells(rng, 8),
    "logistic": lambda rng: stochastic.ill_scaled_logistic(rng, 80, 6, 16),
    "glyphs": lambda rng: stochastic.glyph_net(rng, 6, 128),
    "saddles": lambda rng: stochastic.saddles(rng, 8),
}


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, gradients):
        self.gradients = gradients

    def grad(self, *args):
        return self.gradients.serve("grad", args, {})


def run(train, instance):
    gradients = NoisyGradients(instance)
    return judged(task, instance, train(Direct(gradients), **instance.inputs), gradients.log).metrics


def gaps(program, made):
    return np.log([run(program.train, instance)["gap"] + 1e-5 for instance in made])


@pytest.mark.parametrize("kind", KINDS)
def test_the_noisy_gradients_are_right_on_average(kind):
    rng = np.random.default_rng(0)
    function = KINDS[kind](rng)
    x = function.start + 0.05 * rng.standard_normal(function.start.size)
    draws = np.array([function.sample(rng, x) for _ in range(3000)])
    error = draws.std(axis=0) / np.sqrt(len(draws))
    if kind == "glyphs":
        for i in rng.choice(x.size, 5):
            unit = 0.02 * np.eye(1, x.size, i)[0]
            slope = (function.value(x + unit) - function.value(x - unit)) / 0.04
            assert slope == pytest.approx(draws.mean(axis=0)[i], abs=5 * error[i] + 0.01)
    else:
        exact = approx_fprime(x, function.value, 1e-7)
        assert np.all(np.abs(draws.mean(axis=0) - exact) < 5 * error + 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_no_point_lies_below_the_least_value(kind):
    rng = np.random.default_rng(1)
    function = KINDS[kind](rng)
    assert function.gap(function.start) == pytest.approx(1)
    for spread in (0.1, 1.0, 3.0):
        for _ in range(30):
            assert function.value(function.start + spread * rng.standard_normal(function.start.size)) >= function.least
    assert function.gap(np.full(function.start.size, 1e6)) <= 1e3


def test_the_papers_functions_are_nearly_continuous_and_have_their_minima():
    line = np.linspace(-1.4, 1.4, 28_001)
    for kind, minimiser in ((0, -0.3), (2, 0.0)):
        value, _ = stochastic._well(kind, line)
        assert np.abs(np.diff(value)).max() < 0.06
        assert line[value.argmin()] == pytest.approx(minimiser, abs=1e-3)
    value, slope = stochastic._well(1, line)
    assert np.abs(np.diff(value)).max() < 0.1
    assert -0.9 < line[value.argmin()] < 0.9
    assert slope[value.argmin()] == pytest.approx(0, abs=0.01)


def test_the_reference_follows_the_published_optimizer():
    torch, published = pytest.importorskip("torch"), pytest.importorskip("pytorch_optimizer")
    instance = instances(np.random.default_rng(0), "smoke")[1]
    x = torch.nn.Parameter(torch.tensor(instance.inputs["x0"]))
    optimizer = published.DiffGrad([x], lr=instance.inputs["lr"], weight_decay=0.0)
    oracle = Direct(NoisyGradients(instance))
    for _ in range(instance.inputs["N"]):
        x.grad = torch.tensor(oracle.grad(x.detach().numpy()))
        optimizer.step()
    ours = reference.train(Direct(NoisyGradients(instance)), **instance.inputs)
    assert ours == pytest.approx(x.detach().numpy(), rel=1e-4, abs=1e-6)


def test_instances_are_deterministic_and_noise_is_the_same_for_every_program():
    first, again, other = (instances(np.random.default_rng(s), "smoke") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        replies = [Direct(NoisyGradients(i)).grad(i.inputs["x0"]) for i in (a, b, c)]
        assert np.array_equal(replies[0], replies[1])
        assert not np.array_equal(replies[0], replies[2])


def test_the_reference_wins_at_these_rates_and_half_the_rate_does_as_well():
    made = instances(np.random.default_rng(5), "default")
    plain, paper, half, decayed = (
        gaps(program, made) for program in (baseline, reference, known_half_rate, known_linear_decay)
    )
    gains = plain - paper
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(2 * len(gains))
    assert abs(half.mean() - paper.mean()) < 0.35
    assert decayed.mean() < paper.mean() - 0.5


def test_generic_cheats_get_nothing():
    folder = load_task("diffgrad_friction")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
