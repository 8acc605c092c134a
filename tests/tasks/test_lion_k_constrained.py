"""lion_k_constrained: the sets, the functions and their minima, refusals, Lion against published code, the gaps."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.optimizers.constrained import Lengths, bowl
from speciate.tasks.optimizers.lion_k_constrained import baseline, known_projected_adam, reference
from speciate.tasks.optimizers.lion_k_constrained.task import instances, task
from speciate.tasks.optimizers.stochastic import NoisyGradients


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, gradients):
        self.gradients = gradients

    def grad(self, *args):
        return self.gradients.serve("grad", args, {})


def run(minimise, instance):
    gradients = NoisyGradients(instance)
    return judged(task, instance, minimise(Direct(gradients), **instance.inputs), gradients.log)


def gaps(program, made):
    verdicts = [run(program.minimise, instance) for instance in made]
    assert all(verdict.valid for verdict in verdicts)
    return np.log([verdict.metrics["gap"] + 1e-6 for verdict in verdicts])


def test_projection_comes_to_the_nearest_point_of_the_set():
    rng, inside = np.random.default_rng(0), Lengths(np.arange(6) // 2, 1.5)
    points = 3 * rng.standard_normal((5, 6))
    for x in points:
        near = inside.projected(x)
        assert inside.longest(near) <= 1.5 + 1e-12
        for other in rng.standard_normal((200, 6)):
            assert np.linalg.norm(x - near) <= np.linalg.norm(x - inside.projected(other)) + 1e-12
    box = Lengths(np.arange(6), 0.7)
    assert box.projected(points[-1]) == pytest.approx(np.clip(points[-1], -0.7, 0.7))
    assert box.share_at_bound(np.array([0.7, -0.7, 0.1, 0, 0, 0])) == pytest.approx(1 / 3)


@pytest.mark.parametrize("bent", [False, True])
def test_gradients_are_right_on_average_and_noise_is_in_the_coordinates_scale(bent):
    inside = Lengths(np.arange(6), 1.0)
    function = bowl(np.random.default_rng(0), inside, 2.0, bent)
    rng, x = np.random.default_rng(1), np.random.default_rng(2).standard_normal(6)
    draws = np.array([function.sample(rng, x) for _ in range(40_000)])
    exact = approx_fprime(x, function.value, 1e-7)
    spread = np.quantile(np.abs(draws - exact), 0.5, axis=0)
    assert np.median(draws, axis=0) == pytest.approx(exact, abs=0.05 * spread.max())
    assert spread.max() / spread.min() > 5


@pytest.mark.parametrize("bent", [False, True])
def test_the_least_value_over_a_box_is_scipys(bent):
    inside = Lengths(np.arange(6), 1.0)
    function = bowl(np.random.default_rng(0), inside, 2.0, bent)
    found = minimize(function.value, np.zeros(6), method="L-BFGS-B", bounds=6 * [(-1, 1)], tol=1e-12)
    assert function.least == pytest.approx(found.fun, rel=1e-5)


def test_the_least_value_over_groups_is_below_every_point_of_the_set():
    rng, inside = np.random.default_rng(0), Lengths(np.arange(10) // 5, 1.0)
    function = bowl(rng, inside, 1.5, bent=False)
    found = minimize(
        function.value, np.zeros(10), method="SLSQP", tol=1e-12,
        constraints={"type": "ineq", "fun": lambda x: 1 - np.bincount(inside.groups, weights=x**2)},
    )  # fmt: skip
    assert function.least == pytest.approx(found.fun, rel=1e-5)
    assert all(function.value(inside.projected(x)) >= function.least for x in rng.standard_normal((200, 10)))


def test_the_constraint_binds_in_most_problems_and_not_in_one():
    made = {instance.name: instance for instance in instances(np.random.default_rng(0), "default")}
    ends = {name: run(known_projected_adam.minimise, instance).metrics["at_bound"] for name, instance in made.items()}
    assert ends.pop("box-slack") < 0.3
    assert min(ends.values()) > 0.2


def test_points_outside_are_no_answers_but_may_be_asked():
    instance = instances(np.random.default_rng(0), "smoke")[0]
    radius, gradients = instance.inputs["radius"], NoisyGradients(instance)
    far = np.full(20, 3 * radius)
    assert np.isfinite(Direct(gradients).grad(far)).all()
    assert not judged(task, instance, far, gradients.log).valid
    assert not judged(task, instance, np.full(20, (1 + 1e-5) * radius), None).valid
    edge = judged(task, instance, np.full(20, (1 + 1e-7) * radius), gradients.log)
    assert edge.valid
    assert edge.metrics["at_bound"] == edge.metrics["outside"] == 1


@pytest.mark.parametrize("x", [None, "x", 0.0, [], np.zeros(3), np.zeros((1, 20)), np.full(20, np.nan), [1e7] * 20])
def test_other_points_are_refused_but_use_up_a_call_and_are_no_answers(x):
    instance = instances(np.random.default_rng(0), "smoke")[0]
    gradients = NoisyGradients(instance)
    with pytest.raises(OracleRefused):
        Direct(gradients).grad(x)
    assert gradients.log.spent == 1
    assert not judged(task, instance, x, None).valid


def test_calls_stop_at_the_budget():
    instance = instances(np.random.default_rng(0), "smoke")[0]
    oracle = Direct(NoisyGradients(instance))
    for _ in range(400):
        oracle.grad(np.zeros(20))
    with pytest.raises(OracleRefused, match="budget"):
        oracle.grad(np.zeros(20))


def test_instances_are_deterministic_and_noise_is_the_same_for_every_program():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        replies = [Direct(NoisyGradients(i)).grad(i.inputs["x0"]) for i in (a, b, c)]
        assert np.array_equal(replies[0], replies[1])
        assert not np.array_equal(replies[0], replies[2])


def test_in_a_box_the_reference_follows_published_lion():
    torch, published = pytest.importorskip("torch"), pytest.importorskip("pytorch_optimizer")
    instance = instances(np.random.default_rng(0), "smoke")[0]
    radius, steps = instance.inputs["radius"], instance.inputs["N"]
    x = torch.nn.Parameter(torch.zeros(20, dtype=torch.float64))
    optimizer = published.Lion([x], betas=(0.9, 0.99), weight_decay=1 / radius, weight_decouple=True)
    oracle = Direct(NoisyGradients(instance))
    for t in range(steps):
        optimizer.param_groups[0]["lr"] = 0.02 * radius * (1 - t / steps)
        x.grad = torch.tensor(oracle.grad(x.detach().numpy()))
        optimizer.step()
    ours = reference.minimise(Direct(NoisyGradients(instance)), **instance.inputs)
    assert ours == pytest.approx(x.detach().numpy(), abs=1e-9)


class _Watched(Direct):
    def __init__(self, oracle, seen):
        super().__init__(oracle)
        self.seen = seen

    def grad(self, *args):
        self.seen.append(args[0])
        return super().grad(*args)


def test_the_reference_comes_into_the_set_from_anywhere_and_stays():
    for instance in instances(np.random.default_rng(1), "smoke"):
        inside = Lengths(instance.inputs["groups"], instance.inputs["radius"])
        start = np.full(20, 5 * inside.radius)
        points = []

        watched = _Watched(NoisyGradients(instance), points)
        reference.minimise(watched, **{**instance.inputs, "x0": start})
        lengths = [inside.longest(x) / inside.radius for x in points]
        assert lengths[0] > 4
        assert all(np.diff(lengths[:50]) < 0)
        assert lengths[-1] < 1.1


def test_the_reference_wins_over_adamw_and_projected_adam_more_so():
    made = instances(np.random.default_rng(5), "default")
    plain, paper, projected = (gaps(program, made) for program in (baseline, reference, known_projected_adam))
    gains = plain - paper
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert projected.mean() < paper.mean()


def test_generic_cheats_get_nothing():
    folder = load_task("lion_k_constrained")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
