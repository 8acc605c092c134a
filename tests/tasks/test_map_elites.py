"""map_elites: the domains, what the oracle counts, the archive of the trusted side, and what is illuminated."""

import numpy as np
import pytest
from ribs.archives import GridArchive

from speciate.evaluators import OracleRefused
from speciate.evaluators.trial import judged
from speciate.tasks.discovery import domains
from speciate.tasks.discovery.map_elites import baseline, known_line, reference
from speciate.tasks.discovery.map_elites.task import Probe, instances, task


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPECIATE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, probe):
        self.probe = probe

    def evaluate(self, *args, **kwargs):
        return self.probe.serve("evaluate", args, kwargs)


def cells(log):
    assert log.cells is not None
    return log.cells


def run(illuminate, instance):
    probe = Probe(instance)
    verdict = judged(task, instance, illuminate(Direct(probe), **instance.inputs), probe.log)
    assert verdict.valid
    return verdict.metrics, probe.log


def smoke(number=0):
    return instances(np.random.default_rng(3), "smoke")[number]


def test_a_straight_arm_reaches_its_full_length():
    evaluate = domains.arm(np.random.default_rng(0), 6)
    fitness, behaviour = evaluate(np.full((1, 6), 0.5))
    assert behaviour[0] == pytest.approx([1.0, 0.5])
    assert 0.8 < fitness[0] < 1
    folded = evaluate(np.random.default_rng(0).random((500, 6)))[1] * 2 - 1
    assert np.hypot(*folded.T).max() <= 1 + 1e-12


def test_rastrigins_function_is_best_at_its_centre_and_has_optima_around():
    evaluate = domains.rastrigin(np.random.default_rng(0), 4)
    centre = np.random.default_rng(0).uniform(-2, 2, 4) / (2 * domains.HALF_WIDTH) + 0.5
    step = 1 / (2 * domains.HALF_WIDTH)
    at = evaluate(np.clip(centre + step * np.array([[0.0], [0.5], [1.0]]), 0, 1))[0]
    assert at[0] == pytest.approx(1)
    assert at[1] < at[2] < at[0]


@pytest.mark.parametrize("kind", [domains.arm, domains.rastrigin])
def test_fitness_and_behaviour_stay_within_their_bounds(kind):
    fitness, behaviour = kind(np.random.default_rng(1), 10)(np.random.default_rng(2).random((3000, 10)))
    assert fitness.min() >= 0
    assert fitness.max() <= 1
    assert behaviour.min() >= 0
    assert behaviour.max() <= 1


def test_the_cells_are_those_of_a_grid_archive_of_ribs():
    rng = np.random.default_rng(0)
    fitness, behaviour = rng.random(2000), np.clip(rng.normal(0.5, 0.3, (2000, 2)), 0, 1)
    ours = domains.Cells(12)
    theirs = GridArchive(solution_dim=1, dims=[12, 12], ranges=[(0, 1), (0, 1)])
    for part in np.array_split(np.arange(2000), 7):
        ours.add(fitness[part], behaviour[part])
        theirs.add(np.zeros((len(part), 1)), fitness[part], behaviour[part])
    held = theirs.data(["index", "objective"])
    assert set(np.flatnonzero(ours.filled)) == set(held["index"])
    assert ours.best[held["index"]] == pytest.approx(held["objective"])


def test_programs_insert_as_the_trusted_side_does():
    instance = smoke()
    elites, rng = {}, np.random.default_rng(0)
    log = Probe(instance).log
    probe = Probe(instance)
    for _ in range(3):
        x = rng.random((100, 12))
        reference._insert(elites, 10, x, *Direct(probe).evaluate(x))
    filled = {10 * row + column: value for (row, column), (value, _) in elites.items()}
    assert filled == {int(cell): cells(probe.log).best[cell] for cell in np.flatnonzero(cells(probe.log).filled)}
    assert not cells(log).filled.any()


def test_nothing_evaluated_is_invalid_and_one_point_fills_one_cell():
    instance = smoke()
    assert not judged(task, instance, None, Probe(instance).log).valid
    metrics, log = run(lambda oracle, **inputs: [oracle.evaluate(np.full((1, 12), 0.5)) for _ in range(9)], instance)
    assert cells(log).filled.sum() == 1
    assert 0 < metrics["reliability"] < 0.03
    assert not judged(task, instance, np.ones(100), None).valid


def test_points_are_charged_and_the_surplus_is_refused_as_a_whole():
    probe = Probe(smoke())
    Direct(probe).evaluate(np.zeros((1400, 12)))
    with pytest.raises(OracleRefused, match="budget"):
        Direct(probe).evaluate(np.zeros((101, 12)))
    Direct(probe).evaluate(np.zeros((100, 12)))
    assert probe.log.spent == 1500


@pytest.mark.parametrize(
    "points",
    [None, "x", 0.5, [], np.zeros(12), np.zeros((0, 12)), np.zeros((1, 11)), np.full((1, 12), np.nan), [[2.0] * 12]],
)
def test_points_outside_are_refused_and_charged(points):
    probe = Probe(smoke())
    with pytest.raises(OracleRefused):
        Direct(probe).evaluate(points)
    assert probe.log.spent >= 1
    assert not cells(probe.log).filled.any()


def test_instances_repeat_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(seed), "smoke") for seed in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.secret.known, b.secret.known)
        assert not np.array_equal(a.secret.known, c.secret.known)


def test_elites_of_every_kind_reach_more_than_evolution_for_fitness_alone():
    ours = instances(np.random.default_rng(5), "default")
    reached = {
        p: np.array([run(p.illuminate, one)[0]["reliability"] for one in ours])
        for p in (baseline, reference, known_line)
    }
    gains = reached[reference] - reached[baseline]
    assert gains.min() > 0
    assert gains.mean() > 0.2
    assert (reached[known_line] > reached[reference]).all()
