"""target_surrogate_sso: losses, models against torch, the lowest values, refusals, the surrogate, the gaps reached."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.optimizers import targets
from speciate.tasks.optimizers.target_surrogate_sso import baseline, known_adam, reference
from speciate.tasks.optimizers.target_surrogate_sso.task import Slopes, instances, task

kinds = pytest.mark.parametrize("kind", [targets.huber, targets.lopsided, targets.labels, targets.imitation])


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, slopes):
        self.slopes = slopes

    def grad_z(self, *args):
        return self.slopes.serve("grad_z", args, {})


def run(train, instance):
    slopes = Slopes(instance)
    return judged(task, instance, train(Direct(slopes), **instance.inputs), slopes.log)


def gaps(program, made):
    verdicts = [run(program.train, instance) for instance in made]
    assert all(verdict.valid for verdict in verdicts)
    return np.log([verdict.metrics["gap"] + 1e-5 for verdict in verdicts])


def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


@kinds
def test_slopes_are_those_of_the_values_and_curvatures_at_most_one(kind):
    rng = np.random.default_rng(0)
    losses, rows = kind(rng, rng.standard_normal(50)), np.arange(50)
    z, shift = 3 * rng.standard_normal(50), 1e-5
    slope = (losses.value(z + shift, rows) - losses.value(z - shift, rows)) / (2 * shift)
    assert losses.slope(z, rows) == pytest.approx(slope, abs=1e-5)
    bend = (losses.slope(z + shift, rows) - losses.slope(z - shift, rows)) / (2 * shift)
    assert np.all(np.abs(bend) <= 1 + 1e-4)


@pytest.mark.parametrize("model", ["linear", "mlp"])
def test_models_are_those_of_the_statement_and_of_the_programs(model):
    rng, inputs = np.random.default_rng(1), np.random.default_rng(2).standard_normal((7, 4))
    d = 4 if model == "linear" else 4 * 32 + 32 + 32 + 1
    theta, slopes = rng.standard_normal(d), rng.standard_normal(7)
    z, pulled = targets.outputs(model, theta, inputs)
    if model == "mlp":
        W, b, w = theta[:128].reshape(4, 32), theta[128:160], theta[160:192]
        assert z == pytest.approx(np.tanh(inputs @ W + b) @ w + theta[192])
    change = approx_fprime(theta, lambda at: targets.outputs(model, at, inputs)[0] @ slopes, 1e-7)
    assert pulled(slopes) == pytest.approx(change, abs=1e-5)
    for program in (baseline, reference, known_adam):
        found, hidden = program.forward(model, theta, inputs)
        assert found == pytest.approx(z)
        assert program.backward(model, theta, inputs, hidden, slopes) == pytest.approx(pulled(slopes))


@kinds
def test_no_point_lies_below_the_lowest_value_of_a_linear_model(kind):
    rng = np.random.default_rng(3)
    fitting = targets.fitting(rng, "linear", kind, 80, 6)
    assert fitting.gap(fitting.start) == pytest.approx(1)
    for spread in (0.01, 0.3, 3):
        for _ in range(20):
            assert fitting.gap(spread * rng.standard_normal(6)) > 0


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "smoke") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.inputs["A"], b.inputs["A"])
        assert a.secret.least == b.secret.least != c.secret.least


def test_calls_stop_at_the_budget():
    oracle = Direct(Slopes(smoke()))
    for _ in range(30):
        oracle.grad_z(np.arange(40), np.zeros(40))
    with pytest.raises(OracleRefused, match="budget"):
        oracle.grad_z(np.arange(40), np.zeros(40))


@pytest.mark.parametrize(
    "args",
    [(), (np.arange(40),), (np.arange(39), np.zeros(39)), (np.zeros(40, int), np.zeros(40)), ("rows", np.zeros(40)),
     (np.arange(40) + 161, np.zeros(40)), (np.arange(40), np.full(40, np.nan)), (np.arange(40), np.full(40, 1e7)),
     (np.arange(40.0), np.zeros(40)), (np.arange(40), np.zeros(40), 1)],
)  # fmt: skip
def test_other_calls_are_refused_but_use_up_one(args):
    slopes = Slopes(smoke())
    with pytest.raises(OracleRefused):
        Direct(slopes).grad_z(*args)
    assert slopes.log.spent == 1


@pytest.mark.parametrize("theta", [None, "x", 0.0, [], np.zeros(3), np.zeros((1, 20)), np.full(20, np.nan), [1e7] * 20])
def test_other_outputs_are_no_answers(theta):
    assert not judged(task, smoke(), theta, None).valid


def test_the_surrogate_is_above_the_batchs_loss_and_inner_steps_go_down():
    instance = smoke()
    fitting, rows = instance.secret, np.arange(40)
    X = fitting.inputs[rows]
    z = X @ fitting.start
    g = fitting.losses.slope(z, rows)
    near = reference.descend("linear", fitting.start, X, z, g, 1.0)
    moved = X @ near - z
    surrogate = g @ moved + moved @ moved / 2
    assert surrogate < 0
    change = fitting.losses.value(X @ near, rows).sum() - fitting.losses.value(z, rows).sum()
    assert change <= surrogate


def test_training_offline_on_a_guessed_loss_is_worse():
    """One slope at 0 and at 1 of each sample, taken for squared losses."""

    def guess(oracle, A, theta0, model, N, batch, seed):
        z, wanted = A @ theta0, np.zeros(len(A))
        for first in range(0, len(A), batch):
            rows = np.arange(first, first + batch)
            wanted[rows] = z[rows] - oracle.grad_z(rows, z[rows])
        return np.linalg.lstsq(A, wanted, rcond=None)[0]

    made = instances(np.random.default_rng(4), "default")[:3]
    guessed, paper = (
        np.mean([np.log(run(train, one).metrics["gap"]) for one in made]) for train in (guess, reference.train)
    )
    assert guessed > paper + 1


def test_surrogates_win_over_steps_in_the_parameters():
    made = instances(np.random.default_rng(5), "default")
    plain, paper, adam = (gaps(program, made) for program in (baseline, reference, known_adam))
    gains = plain - paper
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert adam.mean() < plain.mean() - 0.5


def test_generic_cheats_get_nothing():
    folder = load_task("target_surrogate_sso")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
