"""light_sb: the hidden bridge and its moments, Sinkhorn against POT, gradients, and what the programs reach."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from speciate.evaluators import Rejected
from speciate.tasks.optimal_transport.light_sb import baseline, reference
from speciate.tasks.optimal_transport.light_sb.task import instances, judge
from speciate.tasks.optimal_transport.workloads import bridge, bures_wasserstein


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def distance(output, instance):
    verdict = judge(instance, output, None)
    assert verdict.valid
    return verdict.metrics["distance"]


def exact_draws(instance, rng):
    """Normal draws with the exact moments."""
    truth, count = instance.secret, instance.inputs["n_per"]
    roots = np.linalg.cholesky(truth.covariance)
    return truth.mean[:, None] + rng.standard_normal((len(roots), count, truth.mean.shape[1])) @ roots.transpose(
        0, 2, 1
    )


def test_moments_are_those_of_the_draws():
    rng = np.random.default_rng(0)
    hidden = bridge(rng, 5, 0.3)
    x = rng.standard_normal((3, 5))
    mean, covariance = hidden.moments(x)
    for i in range(3):
        drawn = hidden.sample(rng, np.tile(x[i], (40_000, 1)))
        assert np.allclose(drawn.mean(axis=0), mean[i], atol=0.03)
        assert np.allclose(np.cov(drawn.T), covariance[i], atol=0.05)


def test_the_hidden_plan_is_the_entropic_one():
    # A density of the form f(x) g(y) exp(<x, y> / eps): its log has the cross difference <x - x', y - y'> / eps.
    rng = np.random.default_rng(1)
    hidden = bridge(rng, 3, 0.5)
    x, y = rng.standard_normal((2, 2, 3))

    def log_density(x, y):
        variance = hidden.eps * hidden.S
        apart = (y - hidden.r - hidden.S * x) ** 2 / variance
        normal = np.exp(-0.5 * (apart + np.log(2 * np.pi * variance)).sum(axis=1))
        return np.log(hidden.weights(x[None])[0] @ normal)

    cross = log_density(x[0], y[0]) + log_density(x[1], y[1]) - log_density(x[0], y[1]) - log_density(x[1], y[0])
    assert cross == pytest.approx((x[0] - x[1]) @ (y[0] - y[1]) / hidden.eps)


def test_the_distance_of_gaussians_is_that_of_matrix_square_roots():
    rng = np.random.default_rng(2)
    roots = rng.standard_normal((2, 4, 3, 3))
    (A, B), (m, w) = roots @ roots.transpose(0, 1, 3, 2), rng.standard_normal((2, 4, 3))
    for k in range(4):
        half = sqrtm(A[k])
        expected = ((m[k] - w[k]) ** 2).sum() + np.trace(A[k] + B[k] - 2 * np.real(sqrtm(half @ B[k] @ half)))
        assert bures_wasserstein(m, A, w, B)[k] == pytest.approx(expected, abs=1e-6)


def test_the_baseline_draws_by_the_plan_of_pot():
    sinkhorn = pytest.importorskip("ot").sinkhorn
    rng = np.random.default_rng(3)
    X0, X1, eps = rng.standard_normal((40, 3)), rng.standard_normal((50, 3)) + 1, 0.5
    C = baseline.half_squares(X0, X1)
    plan = sinkhorn(np.full(40, 1 / 40), np.full(50, 1 / 50), C, eps, stopThr=1e-12)
    mean = plan @ X1 * 40
    drawn = baseline.fit_sample(X0, X1, eps, X0, 4000, 0).mean(axis=1)
    assert np.abs(drawn - mean).max() < 0.1


def test_gradients_are_those_of_finite_differences():
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((2, 20, 3))
    at = [rng.standard_normal(4), rng.standard_normal((4, 3)), rng.standard_normal((4, 3)) - 1]

    def loss(log_a, r, log_S):
        S = np.exp(log_S)
        scores = reference.component_scores(x, log_a, r, S, 0.7)
        apart = ((y[:, None] - r) ** 2 / (0.7 * S) + np.log(0.7 * S)).sum(axis=2)
        v = np.exp(log_a - 0.5 * apart).sum(axis=1)
        return np.log(np.exp(scores).sum(axis=1)).mean() - np.log(v).mean()

    log_a, r, log_S = at
    gradient = reference.loss_gradient(x, y, log_a, r, log_S, 0.7)
    for k in range(3):
        change = 1e-6 * rng.standard_normal(at[k].shape)
        ends = [loss(*(value + s * change if j == k else value for j, value in enumerate(at))) for s in (1, -1)]
        assert (ends[0] - ends[1]) / 2 == pytest.approx((gradient[k] * change).sum(), rel=1e-4)


def test_instances_repeat_and_differ_between_seeds():
    one, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for mine, same in zip(one, again, strict=True):
        assert np.array_equal(mine.inputs["X1"], same.inputs["X1"])
        assert np.array_equal(mine.secret.mean, same.secret.mean)
    assert not np.array_equal(one[0].inputs["X1"], other[0].inputs["X1"])


def test_moments_alone_and_draws_that_ignore_the_point_are_far_off(smoke):
    rng = np.random.default_rng(5)
    exact = exact_draws(smoke, rng)
    ideal, learnt = distance(exact, smoke), distance(reference.fit_sample(**smoke.inputs), smoke)
    assert ideal < learnt
    centres = np.repeat(exact.mean(axis=1, keepdims=True), exact.shape[1], axis=1)
    assert distance(centres, smoke) > 5 * ideal
    shape = exact.shape[:2]
    independent = smoke.inputs["X1"][rng.integers(0, 500, shape)]
    assert distance(independent, smoke) > 5 * learnt
    assert distance(exact[::-1], smoke) > 5 * learnt


def test_the_mixture_beats_drawing_the_samples_again():
    for instance in instances(np.random.default_rng(0), "default")[1:]:
        learnt, resampled = (distance(p.fit_sample(**instance.inputs), instance) for p in (reference, baseline))
        assert learnt < 0.7 * resampled, instance.name


@pytest.mark.parametrize(
    "spoil",
    [
        lambda y: None,
        lambda y: y[:, :-1],
        lambda y: y[0],
        lambda y: y * np.nan,
        lambda y: y * 1e9,
        lambda y: y + 0j,
        lambda y: y > 0,
        lambda y: "samples",
        lambda y: [],
    ],
)
def test_hostile_outputs_are_refused(spoil, smoke):
    with pytest.raises(Rejected):
        judge(smoke, spoil(exact_draws(smoke, np.random.default_rng(0))), None)
