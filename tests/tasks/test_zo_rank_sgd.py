"""zo_rank_sgd: the landscapes' minima, what the oracle tells and refuses, the direction, and the gaps reached."""

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov
from scipy.optimize import minimize

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.zeroth_order import workloads
from speciate.tasks.zeroth_order.zo_rank_sgd import baseline, known_recombination, reference
from speciate.tasks.zeroth_order.zo_rank_sgd.task import Rater, instances, task

KINDS = {
    "quadratic": lambda rng: workloads.quadratic(rng, 5),
    "rosenbrock": lambda rng: workloads.rosenbrock(rng, 5),
    "log_cosh": lambda rng: workloads.log_cosh(rng, 5),
    "image": lambda rng: workloads.image(rng, 5),
    "regulator": lambda rng: workloads.regulator(rng, 3, 2),
}


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, rater):
        self.rater = rater

    def rank(self, *args, **kwargs):
        return self.rater.serve("rank", args, kwargs)


def run(optimise, instance):
    rater = Rater(instance)
    return judged(task, instance, optimise(Direct(rater), **instance.inputs), rater.log)


def gaps(optimise, size, seed):
    verdicts = [run(optimise, instance) for instance in instances(np.random.default_rng(seed), size)]
    assert all(verdict.valid for verdict in verdicts)
    return np.array([verdict.metrics["gap"] for verdict in verdicts]) + task.objective.floor


def smoke(number=0):
    return instances(np.random.default_rng(3), "smoke")[number]


@pytest.mark.parametrize("kind", KINDS)
def test_no_descent_goes_below_the_least_value_and_one_comes_to_it(kind):
    landscape = KINDS[kind](np.random.default_rng(0))

    def value(x):
        return min(float(landscape.values(x[None])[0]), 1e9)

    found = min(minimize(value, landscape.start + 0.1 * k, method="BFGS").fun for k in range(-3, 4))
    assert landscape.least - 1e-9 <= found <= landscape.least + 1e-4 * (value(landscape.start) - landscape.least)
    assert landscape.gap(landscape.start) == pytest.approx(1)


def test_the_controllers_cost_is_that_of_the_lyapunov_equation():
    rng = np.random.default_rng(1)
    closed = 0.3 * rng.standard_normal((4, 3, 3))
    stage = np.eye(3) + np.array([m @ m.T for m in rng.standard_normal((4, 3, 3))])
    expected = [np.trace(solve_discrete_lyapunov(c.T, s)) for c, s in zip(closed, stage, strict=True)]
    assert workloads._discounted(closed, stage) == pytest.approx(expected)


def test_unstable_gains_have_no_cost_and_rank_last():
    landscape = KINDS["regulator"](np.random.default_rng(0))
    far = landscape.start + 1e6 * np.random.default_rng(1).standard_normal(6)
    assert landscape.values(far[None])[0] == np.inf
    assert landscape.gap(far) == np.inf


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        points = a.inputs["x0"] + np.random.default_rng(0).standard_normal((3, a.inputs["x0"].size))
        assert np.array_equal(a.inputs["x0"], b.inputs["x0"])
        assert np.array_equal(a.secret.landscape.values(points), b.secret.landscape.values(points))
        assert not np.array_equal(a.inputs["x0"], c.inputs["x0"])
    assert {(i.inputs["k"], i.inputs["Q"]) for i in first} == {(15, 100), (15, 400), (5, 100), (5, 400)}


def test_a_noisy_ranking_is_the_true_one_but_for_neighbours_and_repeats_itself():
    instance = next(i for i in instances(np.random.default_rng(0), "default") if i.name == "noisy-quadratic")
    points = instance.inputs["x0"] + np.random.default_rng(0).standard_normal((15, 100))
    true = np.argsort(instance.secret.landscape.values(points))
    one, other = Rater(instance), Rater(instance)
    told = [one.serve("rank", (points,), {}) for _ in range(40)]
    assert all(np.array_equal(reply, other.serve("rank", (points,), {})) for reply in told)
    wrong = np.mean([reply != true for reply in told])
    assert 0.1 < wrong < 0.35
    assert sorted(told[0]) == list(range(15))


def test_no_more_is_told_than_the_k_best_rows():
    instance = next(i for i in instances(np.random.default_rng(0), "default") if i.inputs["k"] == 5)
    reply = Rater(instance).serve("rank", (instance.inputs["x0"][None] + np.arange(15)[:, None],), {})
    assert reply.shape == (5,)
    assert reply.dtype == np.int64
    assert Rater(instance).serve("rank", (instance.inputs["x0"][None],), {}).tolist() == [0]


@pytest.mark.parametrize(
    "points",
    [
        None,
        "x",
        0.0,
        [],
        np.zeros(10),
        np.zeros((0, 10)),
        np.zeros((16, 10)),
        np.zeros((2, 9)),
        np.full((2, 10), np.nan),
    ],
)
def test_bad_questions_are_refused_and_cost_a_call(points):
    rater = Rater(smoke())
    with pytest.raises(OracleRefused):
        Direct(rater).rank(points)
    assert rater.log.spent == 1


def test_calls_beyond_the_budget_are_refused():
    instance = smoke()
    with pytest.raises(OracleRefused):
        run(lambda oracle, x0, m, k, Q: [oracle.rank(x0[None]) for _ in range(Q + 1)], instance)
    for wrong in ((), (np.zeros((2, 10)), 1)):
        with pytest.raises(OracleRefused):
            Direct(Rater(instance)).rank(*wrong)


@pytest.mark.parametrize("point", [None, 0.0, np.zeros(9), np.zeros((1, 10)), np.full(10, np.nan), np.full(10, 2e6)])
def test_spoiled_points_are_invalid(point):
    assert not judged(task, smoke(), point, None).valid


def test_a_point_without_a_value_counts_as_the_worst_gap():
    instance = next(i for i in instances(np.random.default_rng(0), "default") if i.name == "controller")
    far = instance.inputs["x0"] + 1e5 * np.random.default_rng(1).standard_normal(24)
    verdict = judged(task, instance, far, None)
    assert verdict.valid
    assert verdict.metrics["gap"] == 1e3
    assert judged(task, instance, instance.inputs["x0"], None).metrics["gap"] == pytest.approx(1)


@pytest.mark.parametrize("k", [15, 5])
def test_the_direction_is_the_mean_over_the_edges_and_points_uphill(k):
    rng = np.random.default_rng(0)
    slope, noise = rng.standard_normal(30), rng.standard_normal((15, 30))
    best = np.argsort(noise @ slope)[:k]
    rest = [row for row in range(15) if row not in best]
    edges = [(i, j) for place, i in enumerate(best) for j in (*best[place + 1 :], *rest)]
    found = reference._direction(noise, best)
    assert found == pytest.approx(np.mean([noise[j] - noise[i] for i, j in edges], axis=0))
    assert found @ slope > 0.3 * np.linalg.norm(found) * np.linalg.norm(slope)


def test_a_direction_beats_the_best_point_and_recombination_is_as_good():
    gone = np.log([gaps(program.optimise, "default", 5) for program in (baseline, reference, known_recombination)])
    margins = gone[0] - gone[1]
    assert margins.mean() > 3 * margins.std(ddof=1) / np.sqrt(len(margins))
    assert margins.mean() > 1
    assert gone[0].mean() > gone[2].mean() + 1


def test_the_reference_beats_full_covariance_adaptation_at_equal_questions():
    """CMA-ES of the package cmaes, which also needs ranks only, cannot learn 100 dimensions from so few."""
    from cmaes import CMA

    def optimise(oracle, x0, m, k, Q):
        search = CMA(mean=x0.copy(), sigma=0.3, population_size=m, seed=0)
        for _ in range(Q):
            points = np.array([search.ask() for _ in range(m)])
            search.tell([(points[row], place) for place, row in enumerate(oracle.rank(points))])
        return search.mean

    instance = instances(np.random.default_rng(5), "default")[0]
    adapted = run(optimise, instance).metrics["gap"]
    assert run(reference.optimise, instance).metrics["gap"] < adapted < run(baseline.optimise, instance).metrics["gap"]


def test_generic_cheats_get_nothing():
    folder = load_task("zo_rank_sgd")
    with open_sandbox(SandboxSpec()) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
