"""refined_lr_schedule: gradients and minima, runs against torch, what counts of a schedule, and the gaps reached."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from speciate.evaluators import State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.optimizers.last_iterate import absolute, logistic, run
from speciate.tasks.optimizers.refined_lr_schedule import baseline, known_cosine, known_linear, reference
from speciate.tasks.optimizers.refined_lr_schedule.task import instances, task

KINDS = {
    "logistic": lambda rng: logistic(rng, 60, 4),
    "absolute": lambda rng: absolute(rng, 60, 4, 5.0),
}


def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def gaps(program, made):
    verdicts = [judged(task, instance, program.schedule(**instance.inputs), None) for instance in made]
    assert all(verdict.valid for verdict in verdicts)
    return np.log([verdict.metrics["gap"] + 1e-6 for verdict in verdicts])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_the_mean_loss(kind):
    rng = np.random.default_rng(0)
    problem = KINDS[kind](rng)
    x = rng.standard_normal(4)

    def value(at):
        return problem.loss(problem.features @ at, problem.targets).mean()

    every = np.arange(60)[None]
    assert problem.gradients(x[None, None], every)[0, 0] == pytest.approx(approx_fprime(x, value, 1e-7), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_value_is_below_all_others_and_reached(kind):
    rng = np.random.default_rng(1)
    problem = KINDS[kind](rng)
    assert problem.gaps(problem.start) == pytest.approx(1)
    found = minimize(problem.gaps, problem.start, method="BFGS" if kind == "logistic" else "Powell", tol=1e-10)
    assert -1e-9 <= found.fun < 0.01
    assert problem.gaps(rng.standard_normal((100, 4))).min() > 0


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_runs_follow_torch(optimizer):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    problem = logistic(rng, 60, 4)
    rows, schedule = rng.integers(0, 60, (1, 30, 8)), np.linspace(1, 0.1, 30)
    last, norms = run(problem, optimizer, schedule, np.array([0.1, 0.3]), rows)
    for index, rate in enumerate((0.1, 0.3)):
        x = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
        kind = torch.optim.SGD if optimizer == "sgd" else torch.optim.Adam
        steps = kind([x], lr=rate)
        for t in range(30):
            z = torch.tensor(problem.features[rows[0, t]]) @ x
            steps.zero_grad()
            torch.nn.functional.softplus(-torch.tensor(problem.targets[rows[0, t]]) * z).mean().backward()
            assert x.grad is not None
            assert norms[t, 0, index] == pytest.approx(float(x.grad.norm(p=2 if optimizer == "sgd" else 1)))
            steps.param_groups[0]["lr"] = rate * schedule[t]
            steps.step()
        assert last[0, index] == pytest.approx(x.detach().numpy(), abs=1e-9)


def test_constant_norms_refine_to_torchs_linear_decay():
    torch = pytest.importorskip("torch")
    found = reference.schedule(100, np.full(100, 3.0), "sgd")
    steps = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    decay = torch.optim.lr_scheduler.LinearLR(steps, start_factor=1.0, end_factor=1e-12, total_iters=99)
    rates = []
    for _ in range(100):
        rates.append(decay.get_last_lr()[0])
        steps.step()
        decay.step()
    assert found / found.max() == pytest.approx(np.array(rates), abs=1e-9)


def test_shrinking_norms_refine_to_a_warm_up():
    found = reference.schedule(200, np.linspace(5, 0.5, 200), "sgd")
    assert found.argmax() > 50
    assert found[-1] == 0
    assert reference.schedule(200, np.linspace(5, 0.5, 200), "adam").argmax() < found.argmax()


def test_only_the_shape_of_a_schedule_counts():
    instance = smoke()
    shape = reference.schedule(**instance.inputs)
    one, other = (judged(task, instance, factor * shape, None).metrics for factor in (1, 1e-9))
    assert one["gap"] == pytest.approx(other["gap"], rel=1e-6)
    spiked = np.full(instance.inputs["T"], 1e-3)
    spiked[0] = 1
    assert judged(task, instance, spiked, None).metrics["gap"] > 2 * one["gap"]


@pytest.mark.parametrize(
    "wrong",
    [None, "x", 1.0, [], np.zeros(300), np.ones(299), np.ones((1, 300)), -np.ones(300), np.full(300, np.nan)],
)
def test_other_schedules_are_no_answers(wrong):
    assert not judged(task, smoke(), wrong, None).valid


def test_a_schedule_with_one_step_is_valid_and_bad():
    one = np.zeros(300)
    one[150] = 1
    assert judged(task, smoke(), one, None).metrics["gap"] > 0.05


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "smoke") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.inputs["gnorm"], b.inputs["gnorm"])
        assert np.array_equal(a.secret.rows, b.secret.rows)
        assert not np.array_equal(a.secret.rows, c.secret.rows)


def test_the_best_base_rate_is_within_the_grid():
    """With the pilot's rate as unit, both theory's schedule and a constant find theirs."""
    from speciate.tasks.optimizers.refined_lr_schedule.task import RATES

    for instance in instances(np.random.default_rng(3), "default"):
        training, steps = instance.secret, instance.inputs["T"]
        for shape in (1 / np.sqrt(np.arange(1, steps + 1)), np.ones(steps)):
            last, _ = run(
                training.problem, instance.inputs["optimizer"], shape, training.rate * RATES, training.rows[:1]
            )
            best = np.nan_to_num(training.problem.gaps(last[0]), nan=np.inf).argmin()
            assert 0 < best < len(RATES) - 1


def test_refinement_wins_over_theory_and_known_schedules_do_too():
    made = instances(np.random.default_rng(5), "default")
    plain, paper, linear, cosine = (
        gaps(program, made) for program in (baseline, reference, known_linear, known_cosine)
    )
    gains = plain - paper
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert abs(linear.mean() - paper.mean()) < 0.4
    assert cosine.mean() < plain.mean() - 0.5


def test_generic_cheats_get_nothing():
    folder = load_task("refined_lr_schedule")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
