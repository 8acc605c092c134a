"""adadagrad_batch_schedule: the streams, what a call costs, torch's AdaGrad, and what growing batches reach."""

import numpy as np
import pytest

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.optimizers import streams
from speciate.tasks.optimizers.adadagrad_batch_schedule import baseline, known_averaged, reference
from speciate.tasks.optimizers.adadagrad_batch_schedule.task import Samples, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, samples):
        self.samples = samples

    def sample(self, *args):
        return self.samples.serve("sample", args, {})


def run(train, instance):
    samples = Samples(instance)
    return judged(task, instance, train(Direct(samples), **instance.inputs), samples.log).metrics


def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


@pytest.mark.parametrize("kind", streams.LOSSES)
def test_the_truth_is_where_gradients_vanish_on_average(kind):
    stream = streams.stream(np.random.default_rng(0), kind, 5)
    gradient, variance = stream.sample(np.random.default_rng(1), stream.truth, 200_000)
    assert np.all(np.abs(gradient) < 5 * np.sqrt(variance / 200_000))
    away, variance = stream.sample(np.random.default_rng(1), np.zeros(5), 200_000)
    assert np.abs(away / np.sqrt(variance / 200_000)).max() > 20


@pytest.mark.parametrize("kind", streams.LOSSES)
def test_variances_are_those_of_single_samples(kind):
    stream = streams.stream(np.random.default_rng(0), kind, 5)
    rng, x = np.random.default_rng(2), np.ones(5)
    _, variance = stream.sample(rng, x, 20_000)
    means = np.array([stream.sample(rng, x, 50)[0] for _ in range(2000)])
    assert means.var(axis=0) == pytest.approx(variance / 50, rel=0.2)
    assert not stream.sample(rng, x, 1)[1].any()


def test_the_excess_is_one_at_zero_and_zero_at_the_truth():
    stream = streams.stream(np.random.default_rng(0), "huber", 5)
    assert stream.excess(np.zeros(5)) == pytest.approx(1)
    assert stream.excess(stream.truth) == 0


def test_calls_cost_the_fee_and_the_samples_and_stop_at_the_budget():
    samples = Samples(smoke())
    oracle, x = Direct(samples), np.zeros(5)
    oracle.sample(x, 100)
    oracle.sample(x, np.int64(1))
    assert samples.log.spent == 150 + 51
    with pytest.raises(OracleRefused, match="budget"):
        oracle.sample(x, 19_999)
    oracle.sample(x, 19_700)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.sample(x, 1)


@pytest.mark.parametrize(
    "args",
    [(), (np.zeros(5),), (np.zeros(5), 0), (np.zeros(5), 20_001), (np.zeros(5), 1.5), (np.zeros(5), True),
     (np.zeros(5), np.nan), (np.zeros(5), "8"), (np.zeros(4), 1), (np.full(5, np.nan), 1), (np.full(5, 1e4), 1)],
)  # fmt: skip
def test_other_calls_are_refused_but_charged(args):
    samples = Samples(smoke())
    with pytest.raises(OracleRefused):
        Direct(samples).sample(*args)
    assert samples.log.spent == 51


@pytest.mark.parametrize("x", [None, "x", 0.0, [], np.zeros(3), np.zeros((1, 5)), np.full(5, np.nan), np.full(5, 2e3)])
def test_other_outputs_are_no_answers(x):
    assert not judged(task, smoke(), x, None).valid


def test_the_baseline_follows_torchs_adagrad():
    torch = pytest.importorskip("torch")
    instance = smoke()
    x = torch.nn.Parameter(torch.zeros(5, dtype=torch.float64))
    optimizer = torch.optim.Adagrad([x], lr=0.1, eps=0.0)
    oracle = Direct(Samples(instance))
    for _ in range(20_000 // 562):
        x.grad = torch.tensor(oracle.sample(x.detach().numpy(), 512)[0])
        optimizer.step()
    found = baseline.train(Direct(Samples(instance)), **instance.inputs)
    assert found == pytest.approx(x.detach().numpy(), abs=1e-5)


def test_the_references_batches_grow_and_never_shrink():
    samples = Samples(smoke())
    reference.train(Direct(samples), **smoke().inputs)
    batches = [call.args[1] for call in samples.log.calls]
    assert batches[0] == 32
    assert all(np.diff(batches) >= 0)
    assert batches[-1] > 300


def test_instances_are_deterministic_and_noise_is_the_same_for_every_program():
    first, again, other = (instances(np.random.default_rng(s), "smoke") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        replies = [Direct(Samples(i)).sample(i.inputs["x0"], 8)[0] for i in (a, b, c)]
        assert np.array_equal(replies[0], replies[1])
        assert not np.array_equal(replies[0], replies[2])


def test_growing_batches_win_and_averaging_does_too():
    made = instances(np.random.default_rng(5), "default")
    plain, paper, averaged = (
        np.log([run(program.train, instance)["excess"] for instance in made])
        for program in (baseline, reference, known_averaged)
    )
    gains = plain - paper
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert averaged.mean() < plain.mean() - 1


def test_generic_cheats_get_nothing():
    folder = load_task("adadagrad_batch_schedule")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
