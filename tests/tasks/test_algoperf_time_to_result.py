"""algoperf_time_to_result: the workloads, when a target counts as met, the profile, published code, the scores."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.optimizers import training_runs
from speciate.tasks.optimizers.algoperf_time_to_result import baseline, known_adam, reference
from speciate.tasks.optimizers.algoperf_time_to_result.task import Timed, Training, instances, task
from speciate.tasks.optimizers.stochastic import Stochastic


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, training):
        self.training = training

    def __getattr__(self, method):
        return lambda *args: self.training.serve(method, args, {})


def run(train, instance):
    training = Training(instance)
    return judged(task, instance, train(Direct(training), **instance.inputs), training.log)


def profiles(program, seed):
    verdicts = [run(program.train, instance) for instance in instances(np.random.default_rng(seed), "default")]
    assert all(verdict.valid for verdict in verdicts)
    return np.array([verdict.metrics["profile"] for verdict in verdicts])


def valley(target=0.25):
    """f = x^2 / 2 from x = 1, without noise: the target is met within sqrt(2 target) of 0."""
    function = Stochastic(np.ones(1), lambda rng, x: x, lambda x: float(x @ x / 2), 0.0)
    make = type(instances(np.random.default_rng(0), "smoke")[0])
    return make("valley", {"x0": np.ones(1), "step_hint": 40}, Timed(function, 0, target))


@pytest.mark.parametrize("kind", ["ratings", "linear", "perceptron"])
def test_minibatch_gradients_are_right_on_average(kind):
    rng = np.random.default_rng(0)
    function = training_runs.KINDS[kind](rng)
    x = function.start + 0.05 * rng.standard_normal(function.start.size)
    draws = np.array([function.sample(rng, x) for _ in range(2000)])
    error = draws.std(axis=0) / np.sqrt(len(draws))
    exact = approx_fprime(x, function.value, 1e-6)
    assert np.mean(np.abs(draws.mean(axis=0) - exact) < 4 * error + 1e-4) > 0.98


@pytest.mark.parametrize("kind", training_runs.KINDS)
def test_targets_are_well_below_the_start_and_not_below_the_least_value(kind):
    rng = np.random.default_rng(1)
    function = training_runs.KINDS[kind](rng)
    target = training_runs.target(function, rng, 80)
    assert 0 < target - function.least < 0.6 * (function.value(function.start) - function.least)


@pytest.mark.parametrize(("steps", "profile"), [(1, 1.0), (10, 1.0), (20, 2 / 3), (25, 0.5), (40, 0.0)])
def test_the_profile_is_the_share_of_factors_within_which_the_target_is_met(steps, profile):
    def train(oracle, x0, step_hint):
        for _ in range(steps):
            oracle.grad(x0)
        assert oracle.reached(np.zeros(1))
        return x0

    verdict = run(train, valley())
    assert verdict.metrics["met"] == 1
    assert verdict.metrics["profile"] == pytest.approx(profile)
    ratio = steps / 10
    taus = np.linspace(1, 4, 100_001)
    assert verdict.metrics["profile"] == pytest.approx(np.mean(ratio <= taus), abs=1e-4)


def test_only_the_first_time_counts_and_only_if_asked():
    def late(oracle, x0, step_hint):
        for t in range(30):
            oracle.grad(x0)
            if t in (19, 29):
                assert oracle.reached(0.1 * x0)
        return x0

    assert run(late, valley()).metrics["profile"] == pytest.approx(2 / 3)
    unasked = run(lambda oracle, x0, step_hint: np.zeros(1), valley())
    assert unasked.valid
    assert unasked.metrics["profile"] == unasked.metrics["met"] == 0
    assert not Training(valley()).reached(np.ones(1))


def test_asks_are_free_and_twenty_and_steps_end_at_the_hint():
    training = Training(valley())
    oracle = Direct(training)
    for _ in range(20):
        assert oracle.reached(np.ones(1)) is False
    with pytest.raises(OracleRefused, match="20"):
        oracle.reached(np.zeros(1))
    assert training.log.spent == 0
    assert training.log.met is None
    for _ in range(40):
        oracle.grad(np.ones(1))
    with pytest.raises(OracleRefused, match="budget"):
        oracle.grad(np.ones(1))


@pytest.mark.parametrize("bad", [None, "x", 0.0, [], np.zeros(3), np.zeros((1, 1)), np.full(1, np.nan), [1e7]])
def test_other_points_are_refused_and_no_answers(bad):
    training = Training(valley())
    for method in ("grad", "reached"):
        with pytest.raises(OracleRefused):
            getattr(Direct(training), method)(bad)
    assert training.log.spent == training.log.asks == 1
    assert not judged(task, valley(), bad, training.log).valid


def test_instances_are_deterministic_and_sizes_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.inputs["x0"], b.inputs["x0"])
        assert a.secret.target == b.secret.target
    sizes = [[instance.inputs["x0"].size for instance in made] for made in (first, other)]
    assert np.mean(np.array(sizes[0]) != np.array(sizes[1])) > 0.5


def test_the_references_update_is_torchs_nadam_where_nothing_is_clipped():
    """torch's momentum warms up by a schedule of its own, which a large decay switches off."""
    torch = pytest.importorskip("torch")
    instance = valley(target=-1.0)
    hint = instance.inputs["step_hint"]
    x = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = torch.optim.NAdam([x], lr=1.0, momentum_decay=1e9, weight_decay=1e-4, decoupled_weight_decay=True)
    for t in range(1, hint + 1):
        share = min(1.0, t / (0.05 * hint)) * 0.5 * (1 + np.cos(np.pi * t / hint))
        optimizer.param_groups[0]["lr"] = 0.1 * share
        x.grad = x.detach().clone()
        optimizer.step()
    points = []

    class Watched(Direct):
        def grad(self, at):
            points.append(at)
            return at

    found = reference.train(Watched(Training(instance)), **instance.inputs)
    assert len(points) == hint
    assert found == pytest.approx(x.detach().numpy(), abs=0.02)


def test_nadamw_wins_over_momentum_at_a_constant_rate():
    plain, paper, adam = (
        np.concatenate([profiles(program, seed) for seed in (5, 6)]) for program in (baseline, reference, known_adam)
    )
    gains = paper - plain
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert plain.mean() < adam.mean() < paper.mean() + 0.1


def test_generic_cheats_get_nothing():
    folder = load_task("algoperf_time_to_result")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
