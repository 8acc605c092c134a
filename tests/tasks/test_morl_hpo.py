"""morl_hpo: the sea and its front, trainings that repeat, what the oracle takes, and what tuning is worth."""

import itertools

import numpy as np
import pytest

from speciate.evaluators import OracleRefused
from speciate.evaluators.trial import judged
from speciate.tasks.bayesian_optimization import divers
from speciate.tasks.bayesian_optimization.morl_hpo import baseline, known_random, reference
from speciate.tasks.bayesian_optimization.morl_hpo.task import Trainer, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, trainer):
        self.trainer = trainer

    def train(self, *args, **kwargs):
        return self.trainer.serve("train", args, kwargs)


def run(tune, instance):
    trainer = Trainer(instance)
    verdict = judged(task, instance, tune(Direct(trainer), **instance.inputs), trainer.log)
    assert verdict.valid
    return verdict.metrics


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def test_the_front_is_that_of_the_shortest_ways():
    """Breadth first from the start, as far as every treasure."""
    sea = divers.sea(np.random.default_rng(1))
    length, level, reached = {0: 0}, 0, [0]
    while reached:
        level += 1
        reached = sorted(
            {int(to) for state in reached if not sea.treasure[state] for to in sea.following[state]} - set(length)
        )
        length |= dict.fromkeys(reached, level)
    states = np.flatnonzero(sea.treasure)
    assert len(states) == divers.COLUMNS
    assert sea.front()[:, 1] == pytest.approx([-length[state] for state in states.tolist()])


def test_the_hypervolume_is_the_dominated_area():
    sea = divers.sea(np.random.default_rng(0))
    assert sea.hypervolume(sea.front()) == 1
    assert sea.hypervolume(np.array([[0.0, -divers.HORIZON]])) == 0
    points = np.array([[3.0, -20.0], [1.0, -5.0], [2.0, -25.0]])
    grid = itertools.product(np.arange(0.5, 4), np.arange(-divers.HORIZON + 0.5, 0))
    area = sum(any(t > a and -c < -b for t, c in points for c in [c]) for a, b in grid)
    assert divers._area(points) == pytest.approx(area)


def test_a_training_repeats_itself_and_seeds_differ():
    sea, config = divers.sea(np.random.default_rng(0)), divers.DEFAULT | {"alpha": 0.5, "replay": 2, "eps_end": 0.3}
    values = [divers.trained(sea, config, seed) for seed in range(6)]
    assert values == [divers.trained(sea, config, seed) for seed in range(6)]
    assert len(set(values)) > 1
    assert all(0 <= value <= 1 for value in values)


def test_seeds_of_tuning_and_validation_are_apart(smoke):
    told = {Direct(Trainer(smoke)).train(divers.DEFAULT, seed) for seed in range(3)}
    ours = {divers.trained(smoke.secret.sea, divers.DEFAULT, smoke.secret.seed + seed) for seed in range(3)}
    assert told == ours
    others = [divers.trained(smoke.secret.sea, divers.DEFAULT, smoke.secret.seed + seed) for seed in range(3, 11)]
    assert judged(task, smoke, divers.DEFAULT, None).metrics["hypervolume"] == pytest.approx(np.mean(others))


@pytest.mark.parametrize("seed", [-1, 3, 0.0, True, None, "0"])
def test_other_seeds_are_refused_and_use_up_a_training(smoke, seed):
    trainer = Trainer(smoke)
    with pytest.raises(OracleRefused):
        Direct(trainer).train(divers.DEFAULT, seed)
    assert trainer.log.spent == 1


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": 0.0},
        {"alpha": np.nan},
        {"weights": 2.5},
        {"weights": 13},
        {"gamma": "1"},
        {"more": 1},
        {"replay": None},
    ],
)
def test_configurations_outside_the_space_are_refused_and_invalid(smoke, change):
    with pytest.raises(OracleRefused):
        Direct(Trainer(smoke)).train(divers.DEFAULT | change, 0)
    assert not judged(task, smoke, divers.DEFAULT | change, None).valid
    assert not judged(task, smoke, None, None).valid


def test_trainings_beyond_the_budget_are_refused(smoke):
    trainer = Trainer(smoke)
    for _ in range(12):
        Direct(trainer).train(divers.DEFAULT, 0)
    with pytest.raises(OracleRefused, match="budget"):
        Direct(trainer).train(divers.DEFAULT, 0)


def test_the_process_predicts_as_scikit_learn():
    process = pytest.importorskip("sklearn.gaussian_process")
    rng = np.random.default_rng(0)
    x, points = rng.random((9, 3)), rng.random((5, 3))
    y = np.sin(5 * x[:, 0]) + x[:, 1]
    z = (y - y.mean()) / y.std()
    means = []
    for length, noise in itertools.product(reference.LENGTHS, reference.NOISES):
        kernel = process.kernels.Matern(length, length_scale_bounds="fixed", nu=2.5)
        fitted = process.GaussianProcessRegressor(kernel, alpha=noise, optimizer=None).fit(x, z)
        means.append(y.mean() + y.std() * fitted.predict(points))
    assert any(reference.predict(x, y, points)[0] == pytest.approx(mean, abs=1e-6) for mean in means)


def test_tuning_beats_the_default_on_seeds_that_it_has_not_seen():
    ours = instances(np.random.default_rng(2), "default")[:3]
    gains = [
        run(reference.tune, one)["hypervolume"] - judged(task, one, divers.DEFAULT, None).metrics["hypervolume"]
        for one in ours
    ]
    assert np.mean(gains) > 0.1
    assert baseline.tune(None, divers.SPACE, divers.DEFAULT, 30, 3) == divers.DEFAULT


def test_random_search_uses_one_seed_and_the_whole_budget(smoke):
    metrics = run(known_random.tune, smoke)
    assert metrics["trainings"] == 12
