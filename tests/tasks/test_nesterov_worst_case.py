"""nesterov_worst_case: the functions are what they claim, the heavy ball cycles, and what the oracle refuses."""

import numpy as np
import pytest

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.optimizers import workloads
from speciate.tasks.optimizers.nesterov_worst_case import baseline, known_triple_momentum, reference
from speciate.tasks.optimizers.nesterov_worst_case.task import Gradients, instances, task

KINDS = {
    "jumping": lambda rng: workloads.jumping(rng, 6),
    "even": lambda rng: workloads.quadratic(rng, 8, 100.0, clustered=False),
    "clustered": lambda rng: workloads.quadratic(rng, 8, 100.0, clustered=True),
    "tridiagonal": lambda rng: workloads.tridiagonal(rng, 8, 100.0),
    "maximum": lambda rng: workloads.smooth_maximum(rng, 6),
}


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, gradients):
        self.gradients = gradients

    def grad(self, *args):
        return self.gradients.serve("grad", args, {})


def run(minimise, instance):
    gradients = Gradients(instance)
    return judged(task, instance, minimise(Direct(gradients), **instance.inputs), gradients.log)


def errors(program, seed):
    verdicts = [run(program.minimise, instance) for instance in instances(np.random.default_rng(seed), "default")]
    assert all(verdict.valid for verdict in verdicts)
    return np.array([verdict.metrics["error"] for verdict in verdicts])


def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_vanishes_at_the_minimiser_and_its_slope_lies_between_the_bounds(kind):
    rng = np.random.default_rng(0)
    function = KINDS[kind](rng)
    d, size = function.start.size, np.linalg.norm(function.start - function.minimiser)
    at_start = np.linalg.norm(function.gradient(function.start))
    assert np.linalg.norm(function.gradient(function.minimiser)) < 1e-9 * at_start
    for _ in range(200):
        x, y = function.minimiser + size * rng.standard_normal((2, d))
        step = x - y
        change = (function.gradient(x) - function.gradient(y)) @ step
        assert change >= (function.convexity - 1e-9) * (step @ step)
        assert change <= function.smoothness * (1 + 1e-9) * (step @ step)


def test_the_smooth_maximums_value_and_gradient_agree():
    function = KINDS["maximum"](np.random.default_rng(0))
    assert function.value is not None
    for k, unit in enumerate(np.eye(6)):
        h = 1e-6
        slope = (function.value(function.start + h * unit) - function.value(function.start - h * unit)) / (2 * h)
        assert function.gradient(function.start)[k] == pytest.approx(slope, abs=1e-5)


def test_errors_are_one_at_the_start_and_zero_at_the_minimiser():
    for instance in instances(np.random.default_rng(0), "default"):
        function = instance.secret
        assert judged(task, instance, function.minimiser, None).metrics["error"] < 1e-15
        at_start = judged(task, instance, function.start, None).metrics["error"]
        assert at_start == pytest.approx(1) if function.convexity else 0 < at_start < 0.5
        assert judged(task, instance, np.full(function.start.size, 1e9), None).metrics["error"] <= 1e3


def test_the_heavy_ball_cycles_and_nesterov_converges():
    function = workloads.jumping(np.random.default_rng(2), 5)
    inputs = {"L": function.smoothness, "mu": function.convexity}

    class Free:
        def grad(self, x):
            return function.gradient(x)

    left = [
        [function.error(program.minimise(Free(), function.start, N=n, **inputs)) for n in (300, 1000, 3000)]
        for program in (baseline, reference, known_triple_momentum)
    ]
    assert min(left[0]) > 0.05
    assert max(left[1]) < 1e-12
    assert max(left[2]) < 1e-9


def test_on_quadratics_the_heavy_ball_is_the_better_method():
    names = [instance.name for instance in instances(np.random.default_rng(1), "default")]
    quadratic = [name.startswith(("quadratic", "tridiagonal")) for name in names]
    assert np.log(errors(baseline, 1)[quadratic]).mean() < np.log(errors(reference, 1)[quadratic]).mean()


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.secret.minimiser, b.secret.minimiser)
        assert np.array_equal(a.secret.gradient(a.secret.start), b.secret.gradient(b.secret.start))
        assert not np.array_equal(a.secret.minimiser, c.secret.minimiser)


def test_calls_beyond_the_budget_are_refused():
    instance = smoke()
    with pytest.raises(OracleRefused, match="budget"):
        run(lambda oracle, x0, L, mu, N: [oracle.grad(x0) for _ in range(N + 1)], instance)


@pytest.mark.parametrize(
    "x", [None, "x", 0.0, [], np.zeros(3), np.zeros((1, 2)), [0.0, np.nan], [0.0, 1e10], [True, 0]]
)
def test_other_points_are_refused_and_cost_a_call_and_no_answers(x):
    gradients = Gradients(smoke())
    with pytest.raises(OracleRefused):
        Direct(gradients).grad(x)
    with pytest.raises(OracleRefused):
        Direct(gradients).grad(np.zeros(2), np.zeros(2))
    assert gradients.log.spent == 2
    assert not judged(task, smoke(), x, None).valid


def test_the_reference_wins_on_average_over_the_kinds():
    gains = np.concatenate([np.log((errors(baseline, s) + 1e-6) / (errors(reference, s) + 1e-6)) for s in (5, 6)])
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert np.log(errors(known_triple_momentum, 5) + 1e-6).mean() < np.log(errors(baseline, 5) + 1e-6).mean() - 2


def test_generic_cheats_get_nothing():
    folder = load_task("nesterov_worst_case")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
