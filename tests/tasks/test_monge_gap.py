"""monge_gap: that the true maps are optimal, plans against POT, gradients, and what the programs reach."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from speciate.evaluators import Rejected
from speciate.tasks.optimal_transport.monge_gap import baseline, known_entropic_map, known_gaussian_map, reference
from speciate.tasks.optimal_transport.monge_gap.task import instances, judge, moving_cost
from speciate.tasks.optimal_transport.workloads import convex_map

PROGRAMS = [baseline, reference, known_entropic_map, known_gaussian_map]


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def unexplained(output, instance):
    verdict = judge(instance, output, None)
    assert verdict.valid
    return verdict.metrics["unexplained"]


@pytest.mark.parametrize("skewed", [False, True])
def test_no_assignment_is_cheaper_than_the_true_map(skewed):
    rng = np.random.default_rng(0)
    hidden = convex_map(rng, 4, skewed)
    x = rng.standard_normal((200, 4))
    y = hidden(x)
    apart = x[:, None] - y[None]
    costs = 0.5 * np.einsum("ijd,de,ije->ij", apart, hidden.B, apart)
    rows, columns = linear_sum_assignment(costs)
    assert np.array_equal(columns, np.arange(200))
    assert moving_cost(x, y, hidden.B) == pytest.approx(costs[rows, columns].mean())
    assert skewed != np.allclose(hidden.B, np.eye(4))


def test_plans_are_those_of_pot():
    ot = pytest.importorskip("ot")
    rng = np.random.default_rng(1)
    C = baseline.squares(rng.standard_normal((30, 2)), rng.standard_normal((40, 2)))
    weights = np.full(30, 1 / 30), np.full(40, 1 / 40)
    theirs = ot.sinkhorn(*weights, C, 0.2 * C.mean(), stopThr=1e-12)
    assert np.abs(baseline.plan(C, 0.2) - theirs).sum() < 0.02


def test_the_monge_gap_is_flat_at_an_optimal_map_and_not_elsewhere():
    rng = np.random.default_rng(2)
    hidden = convex_map(rng, 2, True)
    x = rng.standard_normal((80, 2))
    at_optimum = np.abs(reference.gap_gradient(x, hidden(x), hidden.B)).sum()
    shuffled = np.abs(reference.gap_gradient(x, rng.permutation(hidden(x)), hidden.B)).sum()
    assert at_optimum < 0.25 * shuffled


def test_gradients_of_the_network_are_those_of_finite_differences():
    rng = np.random.default_rng(3)
    x, slope = rng.standard_normal((2, 9, 3))
    weights = [rng.standard_normal(size) for size in ((3, 5), (5, 5), (5, 3), (5,), (5,), (3,))]
    gradients = reference.mapped(weights, x)[1](slope)
    for k in range(6):
        change = 1e-6 * rng.standard_normal(weights[k].shape)
        moved = [[w + s * change if j == k else w for j, w in enumerate(weights)] for s in (1, -1)]
        ends = [(reference.mapped(one, x)[0] * slope).sum() for one in moved]
        assert (ends[0] - ends[1]) / 2 == pytest.approx((gradients[k] * change).sum(), rel=1e-4)


def test_instances_repeat_and_differ_between_seeds():
    one, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for mine, same in zip(one, again, strict=True):
        assert np.array_equal(mine.inputs["Y"], same.inputs["Y"])
        assert np.array_equal(mine.secret.images, same.secret.images)
    assert not np.array_equal(one[0].inputs["Y"], other[0].inputs["Y"])


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_beat_the_identity_and_the_mean(program, smoke):
    reached = unexplained(program.fit_map(**smoke.inputs), smoke)
    mean = np.tile(smoke.inputs["Y"].mean(axis=0), (len(smoke.secret.images), 1))
    assert reached < unexplained(smoke.inputs["X_test"], smoke)
    assert reached < unexplained(mean, smoke)


def test_points_of_the_target_in_any_order_are_no_map(smoke):
    rng = np.random.default_rng(4)
    verdict = judge(smoke, rng.permutation(smoke.secret.images), None)
    assert verdict.metrics["misfit"] < 1e-6
    assert verdict.metrics["unexplained"] > 100
    assert unexplained(smoke.secret.images, smoke) < 1e-6


def test_the_regulariser_beats_the_fit_alone():
    gains = []
    for instance in instances(np.random.default_rng(0), "default"):
        fit, regularised = (unexplained(p.fit_map(**instance.inputs), instance) for p in (baseline, reference))
        gains.append(np.log(fit / regularised))
    assert np.mean(gains) > 0.4


@pytest.mark.parametrize(
    "spoil",
    [
        lambda y: None,
        lambda y: y[:-1],
        lambda y: y.T,
        lambda y: y * np.nan,
        lambda y: y + 1e4,
        lambda y: y + 0j,
        lambda y: y > 0,
        lambda y: "map",
        lambda y: {"y": 1},
    ],
)
def test_hostile_outputs_are_refused(spoil, smoke):
    with pytest.raises(Rejected):
        judge(smoke, spoil(smoke.secret.images), None)
