"""multifidelity_bo: the functions, what the oracle charges and refuses, the surrogates, and the regrets reached."""

import numpy as np
import pytest
from scipy.optimize import differential_evolution

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.bayesian_optimization import workloads
from speciate.tasks.bayesian_optimization.multifidelity_bo import baseline, reference
from speciate.tasks.bayesian_optimization.multifidelity_bo.task import Simulator, instances, task


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPECIATE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, simulator):
        self.simulator = simulator

    def query(self, *args, **kwargs):
        return self.simulator.serve("query", args, kwargs)


def run(optimize, instance):
    simulator = Simulator(instance)
    return judged(task, instance, optimize(Direct(simulator), **instance.inputs), simulator.log)


def smoke():
    return instances(np.random.default_rng(3), "smoke")[0]


@pytest.mark.parametrize(
    ("function", "at", "value"),
    [
        (workloads.branin, [(np.pi + 5) / 15, 2.275 / 15], 0.397887),
        (workloads.hartmann, [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573], -3.32237),
        (workloads.currin, [0.2166667, 0.0], -13.798722),
    ],
)
def test_the_textbook_functions_have_their_minima(function, at, value):
    assert function(np.array([at]))[0] == pytest.approx(value, abs=2e-3)
    points = np.random.default_rng(0).random((2000, len(at)))
    assert function(points).min() >= value - 1e-3


def test_the_least_value_is_found_and_the_median_has_a_regret_of_one():
    for instance in instances(np.random.default_rng(1), "default")[:7]:
        pair = instance.secret
        found = differential_evolution(
            lambda x, high=pair.levels[1]: high(x[None])[0], [(0, 1)] * pair.dim, rng=0, maxiter=60, tol=1e-8
        )
        assert pair.regret(found.x) >= -1e-6, instance.name
        points = np.random.default_rng(0).random((500, pair.dim))
        assert np.median([pair.regret(x) for x in points]) == pytest.approx(1, abs=0.2)


def test_levels_correlate_but_on_the_misleading_instances():
    points = np.random.default_rng(0).random((2000, 8))
    for instance in instances(np.random.default_rng(2), "default"):
        low, high = (level(points[:, : instance.secret.dim]) for level in instance.secret.levels)
        correlation = abs(np.corrcoef(low, high)[0, 1])
        assert correlation < 0.6 if instance.name.startswith("misled") else correlation > 0.6, instance.name


def test_instances_are_deterministic_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    points = np.random.default_rng(0).random((4, 8))
    for a, b, c in zip(first, again, other, strict=True):
        at_a, at_b, at_c = (i.secret.levels[0](points[:, : i.secret.dim]) for i in (a, b, c))
        assert np.array_equal(at_a, at_b)
        assert not np.allclose(at_a, at_c)
        assert a.secret.least == b.secret.least


def test_calls_cost_their_level_and_stop_at_the_budget():
    simulator = Simulator(smoke())
    oracle = Direct(simulator)
    for _ in range(5):
        oracle.query(np.zeros(2), 0)
    assert simulator.log.spent == 5
    for _ in range(7):
        oracle.query(np.zeros(2), 1)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.query(np.zeros(2), 1)
    assert simulator.log.spent == 75
    assert oracle.query(np.zeros(2), 0) == oracle.query([0.0, 0.0], 0)


@pytest.mark.parametrize(
    "question",
    [
        (),
        (np.zeros(2),),
        (np.zeros(2), 0, 0),
        (np.zeros(2), 2),
        (np.zeros(2), -1),
        (np.zeros(2), 0.5),
        (np.zeros(2), True),
        (np.zeros(2), None),
        (np.zeros(2), np.array([0])),
    ],
)
def test_a_level_that_does_not_exist_is_refused_and_costs_as_much_as_the_costly_one(question):
    simulator = Simulator(smoke())
    with pytest.raises(OracleRefused):
        Direct(simulator).query(*question)
    assert simulator.log.spent == 10


@pytest.mark.parametrize("x", [None, "x", 0.5, [], np.zeros(3), np.zeros((1, 2)), [0.5, np.nan], [0.5, 1.01]])
def test_points_outside_are_refused_and_no_recommendations(x):
    simulator = Simulator(smoke())
    with pytest.raises(OracleRefused):
        Direct(simulator).query(x, 0)
    assert simulator.log.spent == 1
    assert not judged(task, smoke(), x, None).valid


def test_a_recommendation_is_worth_its_true_value_whether_asked_or_not():
    instance = smoke()
    best = np.random.default_rng(0).random((4000, 2))
    best = best[np.argmin(instance.secret.levels[1](best))]
    assert judged(task, instance, best, None).metrics["regret"] < 0.05
    assert judged(task, instance, np.ones(2), None).metrics["regret"] <= 1.0


def test_both_processes_predict_as_scikit_learn():
    process = pytest.importorskip("sklearn.gaussian_process")
    rng = np.random.default_rng(0)
    x, points, lengths = rng.random((12, 3)), rng.random((5, 3)), np.array([0.3, 0.9, 0.5])
    y = np.sin(5 * x[:, 0]) + x[:, 1]
    kernel = process.kernels.Matern(lengths, length_scale_bounds="fixed", nu=2.5)
    fitted = process.GaussianProcessRegressor(kernel, alpha=1e-6, optimizer=None).fit(x, y - y.mean())
    mean, deviation = fitted.predict(points, return_std=True)
    scale = np.sqrt((y - y.mean()) @ np.linalg.solve(kernel(x) + 1e-6 * np.eye(12), y - y.mean()) / 12)
    ours = baseline.predict(x, y, points, lengths)
    assert ours[0] == pytest.approx(mean + y.mean())
    assert ours[1] == pytest.approx(scale * deviation, rel=1e-4)
    paper = reference.Process(3, True)
    paper.lengths = lengths
    paper.learn(x, y, refit=False)
    assert paper.predict(points)[0] == pytest.approx(mean + y.mean())
    assert np.sqrt(paper.predict(points)[1]) == pytest.approx(scale * deviation, rel=1e-4)


def test_programs_stay_within_the_budget_and_the_reference_wins_except_where_it_is_misled():
    ours = instances(np.random.default_rng(7), "default")
    logs = {}
    for program in (baseline, reference):
        verdicts = [run(program.optimize, instance) for instance in ours]
        assert all(verdict.valid for verdict in verdicts)
        logs[program] = np.log([verdict.metrics["regret"] for verdict in verdicts])
    gains = logs[baseline] - logs[reference]
    assert gains.mean() > 1
    misled = np.array([instance.name.startswith("misled") for instance in ours])
    assert gains[misled].mean() < gains[~misled].mean() - 1


def test_generic_cheats_get_nothing():
    folder = load_task("multifidelity_bo")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert [finding for finding in findings if not finding.held] == []
    assert all(finding.got != State.INFRA for finding in findings)
