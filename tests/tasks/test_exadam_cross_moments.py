"""exadam_cross_moments: trajectories against published code, what is refused, and what the lengthened steps reach."""

import numpy as np
import pytest

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.optimizers.exadam_cross_moments import baseline, known_fourfold_rate, reference
from speciate.tasks.optimizers.exadam_cross_moments.task import instances, task
from speciate.tasks.optimizers.stochastic import NoisyGradients


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, gradients):
        self.gradients = gradients

    def grad(self, *args):
        return self.gradients.serve("grad", args, {})


def run(train, instance, **changed):
    gradients = NoisyGradients(instance)
    output = train(Direct(gradients), **{**instance.inputs, **changed})
    return judged(task, instance, output, gradients.log).metrics


def smoke(number=0):
    return instances(np.random.default_rng(0), "smoke")[number]


def test_the_reference_follows_the_published_optimizer():
    torch, published = pytest.importorskip("torch"), pytest.importorskip("pytorch_optimizer")
    instance = smoke(1)
    x = torch.nn.Parameter(torch.tensor(instance.inputs["x0"]))
    optimizer = published.EXAdam([x], lr=0.001, weight_decay=0.0)
    oracle = Direct(NoisyGradients(instance))
    for _ in range(instance.inputs["N"]):
        x.grad = torch.tensor(oracle.grad(x.detach().numpy()))
        optimizer.step()
    ours = reference.train(Direct(NoisyGradients(instance)), **instance.inputs)
    assert ours == pytest.approx(x.detach().numpy(), rel=1e-6, abs=1e-9)


def test_the_baseline_follows_torchs_adam():
    torch = pytest.importorskip("torch")
    instance = smoke()
    x = torch.nn.Parameter(torch.tensor(instance.inputs["x0"]))
    optimizer = torch.optim.Adam([x], lr=0.001)
    oracle = Direct(NoisyGradients(instance))
    for _ in range(instance.inputs["N"]):
        x.grad = torch.tensor(oracle.grad(x.detach().numpy()))
        optimizer.step()
    ours = baseline.train(Direct(NoisyGradients(instance)), **instance.inputs)
    assert ours == pytest.approx(x.detach().numpy(), abs=1e-9)


def test_steps_are_lengthened_and_the_descriptor_shows_it():
    instance = smoke()
    strides = [run(program.train, instance)["stride"] for program in (baseline, reference, known_fourfold_rate)]
    assert strides[1] > 1.5 * strides[0]
    assert strides[2] > 2.5 * strides[0]


def test_every_call_beyond_the_number_is_refused():
    instance = smoke()
    with pytest.raises(OracleRefused, match="budget"):
        run(lambda oracle, x0, N, lr: [oracle.grad(x0) for _ in range(N + 1)], instance)


@pytest.mark.parametrize(
    "x", [None, "x", 0.0, [], np.zeros(3), np.zeros((1, 10)), np.full(10, np.nan), np.full(10, 2e6), [True] * 10]
)
def test_other_points_are_refused_cost_a_call_and_are_no_answers(x):
    gradients = NoisyGradients(smoke())
    with pytest.raises(OracleRefused):
        Direct(gradients).grad(x)
    with pytest.raises(OracleRefused):
        Direct(gradients).grad(np.zeros(10), np.zeros(10))
    assert gradients.log.spent == 2
    assert not judged(task, smoke(), x, None).valid


def test_at_a_large_rate_lengthening_loses():
    """Why no instance has it: the claim is about rates that are too small."""
    for instance in instances(np.random.default_rng(1), "default")[:2]:
        assert run(reference.train, instance, lr=0.1)["gap"] > 1.3 * run(baseline.train, instance, lr=0.1)["gap"]


def test_the_reference_wins_at_the_default_rate_and_so_does_a_larger_rate():
    made = instances(np.random.default_rng(5), "default")
    plain, paper, fourfold = (
        np.log([run(program.train, instance)["gap"] + 1e-5 for instance in made])
        for program in (baseline, reference, known_fourfold_rate)
    )
    gains = plain - paper
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(2 * len(gains))
    assert abs(fourfold.mean() - paper.mean()) < 0.25


def test_generic_cheats_get_nothing():
    folder = load_task("exadam_cross_moments")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
