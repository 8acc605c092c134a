"""llambo_warmstart_bo: the classifiers, what the oracle takes, the parts of the reference, and the regrets."""

import numpy as np
import pytest

from speciate.evaluators import OracleRefused
from speciate.evaluators.trial import judged
from speciate.tasks.bayesian_optimization import classifiers
from speciate.tasks.bayesian_optimization.llambo_warmstart_bo import baseline, reference
from speciate.tasks.bayesian_optimization.llambo_warmstart_bo.task import Trials, instances, task


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPECIATE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, trials):
        self.trials = trials

    def evaluate(self, *args, **kwargs):
        return self.trials.serve("evaluate", args, kwargs)


def run(tune, instance):
    trials = Trials(instance)
    verdict = judged(task, instance, tune(Direct(trials), **instance.inputs), trials.log)
    assert verdict.valid
    return verdict.metrics, trials.log


@pytest.fixture(scope="module")
def split():
    return classifiers.blobs(np.random.default_rng(0))[0]


def smoke():
    return instances(np.random.default_rng(3), "smoke")[0]


def test_the_kernel_classifier_is_scikit_learns(split):
    ridge = pytest.importorskip("sklearn.kernel_ridge")
    model = ridge.KernelRidge(alpha=0.5, kernel="rbf", gamma=0.3).fit(split.points, split.targets)
    assert classifiers.kernel(split, {"C": 2.0, "gamma": 0.3}) == pytest.approx(model.predict(split.unseen))


def test_the_neighbours_are_scikit_learns(split):
    near = pytest.importorskip("sklearn.neighbors")
    model = near.KNeighborsClassifier(7, p=3, weights="distance").fit(split.points, split.labels)
    found = classifiers.neighbours(split, {"k": 7, "p": 3.0, "power": 1.0}).argmax(axis=1)
    assert np.mean(found == model.predict(split.unseen)) > 0.99


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "boosting",
            {"rounds": 100, "rate": 0.1, "subsample": 0.8, "l2": 1.0},
            {"rounds": 1, "rate": 1e-3, "subsample": 0.05, "l2": 1e3},
        ),
        (
            "network",
            {"rate": 0.05, "l2": 1e-4, "width": 64, "momentum": 0.9},
            {"rate": 1e-6, "l2": 1e-4, "width": 2, "momentum": 0.0},
        ),
    ],
)
def test_sensible_constants_learn_and_hopeless_ones_do_not(split, name, good, bad):
    assert classifiers.accuracy(name, split, good) > classifiers.accuracy(name, split, bad) + 0.1


@pytest.mark.parametrize("name", classifiers.CLASSIFIERS)
def test_all_constants_of_the_space_give_an_accuracy(split, name):
    rng, space = np.random.default_rng(0), classifiers.CLASSIFIERS[name][1]
    ends = [{axis: bounds[end] for axis, bounds in space.items()} for end in ("low", "high")]
    for config in [*ends, *(classifiers.random_config(rng, space) for _ in range(10))]:
        assert 0 <= classifiers.accuracy(name, split, config) <= 1
        near = classifiers.near_config(rng, space, config)
        assert all(space[axis]["low"] <= value <= space[axis]["high"] for axis, value in near.items())


def test_units_and_constants_are_each_others_inverse():
    for _, space in classifiers.CLASSIFIERS.values():
        config = classifiers.random_config(np.random.default_rng(1), space)
        unit = reference.encode(config, space)
        assert reference.decode(unit, space) == pytest.approx(config)
        assert baseline.decode(unit, space) == pytest.approx(config)
    card = {"features": 5, "variance": 2.0, "samples": 100}
    for name, (_, space) in classifiers.CLASSIFIERS.items():
        assert all(set(config) == set(space) for config in reference.textbook({"model": name, **card}))


def test_the_process_predicts_as_scikit_learn():
    process = pytest.importorskip("sklearn.gaussian_process")
    rng = np.random.default_rng(0)
    x, points = rng.random((9, 2)), rng.random((5, 2))
    y = np.sin(5 * x[:, 0]) + x[:, 1]
    means = []
    for length in baseline.LENGTHS:
        kernel = process.kernels.Matern(length, length_scale_bounds="fixed", nu=2.5)
        fitted = process.GaussianProcessRegressor(kernel, alpha=baseline.NOISE, optimizer=None).fit(x, y - y.mean())
        means.append(fitted.predict(points) + y.mean())
    assert any(baseline.predict(x, y, points)[0] == pytest.approx(mean) for mean in means)


def test_candidates_gather_where_scores_were_good():
    rng = np.random.default_rng(0)
    x = np.vstack([np.full((5, 2), 0.2), np.full((5, 2), 0.8)])
    y = np.array([0.5] * 5 + [0.9] * 5)
    assert np.mean(reference.candidates(rng, x, y) > 0.5) > 0.9
    mean, spread = reference.surrogate(rng, x, y, np.array([[0.2, 0.2], [0.8, 0.8]]))
    assert mean[0] < mean[1]
    assert (spread > 0).all()


@pytest.mark.parametrize(
    "config",
    [
        None,
        {},
        {"C": 1.0},
        {"C": 1.0, "gamma": 1e9},
        {"C": 1.0, "gamma": np.nan},
        {"C": "1", "gamma": 1.0},
        {"C": 1.0, "gamma": 1.0, "k": 1},
    ],
)
def test_malformed_trials_are_refused_and_used_up(config):
    trials = Trials(smoke())
    with pytest.raises(OracleRefused):
        Direct(trials).evaluate(config)
    assert trials.log.spent == 1


def test_without_trials_a_program_is_invalid_and_the_regret_falls_when_something_good_was_tried():
    instance = smoke()
    assert not judged(task, instance, None, Trials(instance).log).valid
    card = instance.inputs["card"]
    gamma = 1 / (card["features"] * card["variance"])
    metrics, log = run(lambda oracle, **inputs: oracle.evaluate({"C": 1.0, "gamma": gamma}), instance)
    assert metrics["regret"] == pytest.approx(metrics["early"])
    assert metrics["early"] == metrics["late"] < 1
    assert len(log.calls) == 1


def test_instances_repeat_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(seed), "smoke") for seed in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert a.inputs == b.inputs
        assert a.secret.best == b.secret.best
        assert a.inputs["card"] != c.inputs["card"]


def test_knowing_the_problem_lowers_the_regret_most_in_the_first_trials():
    ours = instances(np.random.default_rng(1), "default")
    found = {program: [run(program.tune, instance)[0] for instance in ours] for program in (baseline, reference)}
    gains = {
        name: np.mean([a[name] - b[name] for a, b in zip(found[baseline], found[reference], strict=True)])
        for name in ("regret", "early", "late")
    }
    assert gains["regret"] > 0.05
    assert gains["early"] > gains["late"]
