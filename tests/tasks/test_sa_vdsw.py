"""sa_vdsw: distances against POT, directions against their distribution, gradients, and what the programs reach."""

import numpy as np
import pytest
from scipy.special import iv

from speciate.evaluators import Rejected
from speciate.tasks.optimal_transport import workloads
from speciate.tasks.optimal_transport.sa_vdsw import baseline, known_ascent, known_second_moments, reference
from speciate.tasks.optimal_transport.sa_vdsw.task import drive, instances, judge

PROGRAMS = [baseline, reference, known_ascent, known_second_moments]


class Session:
    def __init__(self, program):
        self.program = program

    def call(self, entry, inputs):
        return getattr(self.program, entry)(**inputs)


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def share(program, instance):
    verdict = judge(instance, drive(instance, Session(program)), None)
    assert verdict.valid
    return verdict.metrics["share"]


def test_sliced_distances_are_those_of_pot():
    sliced = pytest.importorskip("ot").sliced
    rng = np.random.default_rng(0)
    X, Y, u = workloads.cloud_pairs(rng, "moved", 3, 40, 4)
    directions = workloads.von_mises_fisher(rng, u, 5.0, 6)
    mine = workloads.sliced_distance(X, Y, directions)
    for k in range(3):
        theirs = sliced.sliced_wasserstein_distance(X[k], Y[k], projections=directions[k].T)
        assert mine[k].mean() == pytest.approx(theirs**2)


@pytest.mark.parametrize(("d", "kappa"), [(3, 2.0), (5, 20.0)])
def test_directions_have_the_mean_of_their_distribution(d, kappa):
    location = np.eye(d)[:2]
    drawn = workloads.von_mises_fisher(np.random.default_rng(0), location, kappa, 20_000)
    assert np.allclose(np.linalg.norm(drawn, axis=2), 1)
    expected = iv(d / 2, kappa) / iv(d / 2 - 1, kappa)
    assert np.allclose(drawn.mean(axis=1), expected * location, atol=0.02)


@pytest.mark.parametrize("kind", workloads.CLOUD_KINDS)
def test_the_hidden_direction_is_the_best_location(kind):
    rng = np.random.default_rng(1)
    X, Y, u = workloads.cloud_pairs(rng, kind, 20, 500, 5)

    def distance(location):
        location = location / np.linalg.norm(location, axis=1, keepdims=True)
        directions = workloads.von_mises_fisher(np.random.default_rng(2), location, 20.0, 50)
        return workloads.sliced_distance(X, Y, directions).mean()

    for _ in range(5):
        assert distance(u + 0.3 * rng.standard_normal(u.shape)) < distance(u)


def test_instances_repeat_and_differ_between_seeds():
    one, again, other = (instances(np.random.default_rng(s), "default")[0] for s in (1, 1, 2))
    assert np.array_equal(one.inputs["train_X"], again.inputs["train_X"])
    assert np.array_equal(one.secret.Y, again.secret.Y)
    assert not np.array_equal(one.secret.Y, other.secret.Y)


def test_each_pair_comes_twice_in_another_order(smoke):
    for cloud in (smoke.secret.X, smoke.secret.Y):
        first, second = np.split(cloud, 2)
        assert np.array_equal(np.sort(first, axis=1), np.sort(second, axis=1))
        assert not np.array_equal(first, second)


def test_the_gradient_of_attention_is_that_of_finite_differences():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3, 6, 4))
    sizes = {"Q": (4, 5), "K": (4, 5), "V": (4, 5), "A": (5, 7), "B": (7, 4)}
    weights = {name: rng.standard_normal(size) for name, size in sizes.items()}
    weights |= {name + "0": 0.1 * rng.standard_normal(size[1]) for name, size in sizes.items()}
    slope = rng.standard_normal((3, 4))
    gradient = reference.forward(weights, X)[1](slope)
    for name, value in weights.items():
        change = 1e-6 * rng.standard_normal(value.shape)
        values = [(reference.forward(weights | {name: value + s * change}, X)[0] * slope).sum() for s in (1, -1)]
        assert (values[0] - values[1]) / 2 == pytest.approx((gradient[name] * change).sum(), rel=1e-4)


def test_attention_is_symmetric_in_the_points_and_the_baseline_is_not(smoke):
    angles = [judge(smoke, drive(smoke, Session(p)), None).metrics["order_angle"] for p in (reference, baseline)]
    assert angles[0] < 1e-3
    assert angles[1] > 5


def test_the_order_of_the_programs():
    reached = np.zeros(len(PROGRAMS))
    for instance in instances(np.random.default_rng(0), "default"):
        reached += [share(program, instance) / 3 for program in PROGRAMS]
    assert reached[0] + 0.05 < reached[1] < reached[2] < reached[3] < 1.02


def test_directions_without_a_look_at_the_clouds_get_nothing(smoke):
    shape = smoke.secret.best.shape
    blind = np.random.default_rng(0).standard_normal(shape)
    assert judge(smoke, blind, None).metrics["share"] < share(baseline, smoke) - 0.1
    assert judge(smoke, -3 * smoke.secret.best, None).metrics["share"] == pytest.approx(1, abs=0.02)
    turned = np.roll(smoke.secret.best, 1, axis=0)
    assert judge(smoke, turned, None).metrics["share"] < 0.5


@pytest.mark.parametrize(
    "spoil",
    [
        lambda loc: None,
        lambda loc: 0 * loc,
        lambda loc: loc[:-1],
        lambda loc: loc[:, :-1],
        lambda loc: loc * np.nan,
        lambda loc: loc * 1e12,
        lambda loc: loc + 0j,
        lambda loc: "loc",
        lambda loc: {"loc": loc},
        lambda loc: np.where(np.arange(len(loc))[:, None] == 3, 0, loc),
    ],
)
def test_hostile_outputs_are_refused(smoke, spoil):
    try:
        verdict = judge(smoke, spoil(smoke.secret.best), None)
    except Rejected:
        return
    assert not verdict.valid
