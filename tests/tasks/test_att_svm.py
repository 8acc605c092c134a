"""att_svm: gradients, the machine against scipy, what the oracle refuses, and what the programs reach."""

import numpy as np
import pytest
from scipy.optimize import minimize

from speciate.evaluators import OracleRefused, Rejected
from speciate.tasks.attention_kernels.att_svm import baseline, known_longer_steps, reference
from speciate.tasks.attention_kernels.att_svm.task import Gradient, instances, judge
from speciate.tasks.attention_kernels.workloads import attention_erm


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, served):
        self.served = served

    def direction(self, *args):
        return self.served.serve("direction", args, {})


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


@pytest.fixture(scope="module")
def default():
    return instances(np.random.default_rng(0), "default")


def miss(program, instance):
    served = Gradient(instance)
    verdict = judge(instance, program.predict(Direct(served), **instance.inputs), served.log)
    assert verdict.valid
    return verdict.metrics["miss"]


def test_the_direction_is_that_of_finite_differences():
    rng = np.random.default_rng(1)
    erm = attention_erm(rng, 1, 4, 5, 3)
    W = rng.standard_normal((1, 3, 3))

    def loss(W):
        right = (erm.attention(W) * erm.relevance).sum(axis=2)
        return np.log1p(np.exp(-right)).mean()

    units = np.eye(9).reshape(9, 1, 3, 3)
    gradient = np.array([(loss(W + 1e-6 * u) - loss(W - 1e-6 * u)) / 2e-6 for u in units]).reshape(3, 3)
    assert np.allclose(erm.direction(W)[0], gradient / np.linalg.norm(gradient), atol=1e-6)


def test_the_direction_does_not_drown_in_rounding_late_in_training(default):
    erm, end = default[0].secret
    direction = erm.direction(end[None])[0]
    assert np.linalg.norm(direction) == pytest.approx(1)
    assert (-direction * end).sum() / np.linalg.norm(end) > 0.9


def test_the_machine_is_that_of_a_general_solver():
    rng = np.random.default_rng(2)
    features = rng.standard_normal((12, 20))
    weights = reference.machine(features @ features.T)
    theirs = minimize(
        lambda w: 0.5 * w @ w,
        np.zeros(20),
        jac=lambda w: w,
        constraints={"type": "ineq", "fun": lambda w: features @ w - 1, "jac": lambda w: features},
        method="SLSQP",
    )
    assert np.allclose(features.T @ weights, theirs.x, atol=1e-3)


def test_instances_repeat_and_differ_between_seeds():
    one, again, other = (instances(np.random.default_rng(s), "smoke")[0] for s in (1, 1, 2))
    assert np.array_equal(one.inputs["X"], again.inputs["X"])
    assert np.array_equal(one.secret[1], again.secret[1])
    assert not np.array_equal(one.inputs["X"], other.inputs["X"])
    assert np.allclose(np.linalg.norm(one.inputs["X"], axis=2), 1)


def test_the_order_of_the_programs(default):
    logs = {p: np.mean([np.log10(miss(p, i)) for i in default]) for p in (baseline, reference, known_longer_steps)}
    assert logs[reference] < logs[baseline] - 0.7
    assert logs[known_longer_steps] < logs[baseline] - 0.7


def test_data_without_labels_do_not_tell_the_end(smoke):
    X, z = smoke.inputs["X"], smoke.inputs["z"]
    d = z.shape[1]
    rng = np.random.default_rng(3)
    for guess in (np.eye(d), rng.standard_normal((d, d)), np.einsum("ntd,ne->de", X, z)):
        assert judge(smoke, guess, None).metrics["miss"] > 0.3
    first = Direct(Gradient(smoke)).direction(np.zeros((d, d)))
    assert judge(smoke, -first, None).metrics["miss"] > miss(baseline, smoke)


def test_calls_are_counted_and_arguments_checked(smoke):
    d = smoke.inputs["z"].shape[1]
    oracle = Direct(Gradient(smoke))
    W = np.zeros((d, d))
    for bad in (None, W[1:], W + np.nan, W + 1e7, "W", W + 0j):
        with pytest.raises(OracleRefused):
            oracle.direction(bad)
    with pytest.raises(OracleRefused):
        oracle.direction()
    oracle = Direct(Gradient(smoke))
    for _ in range(smoke.inputs["calls"]):
        oracle.direction(np.zeros((d, d)))
    with pytest.raises(OracleRefused, match="spent"):
        oracle.direction(np.zeros((d, d)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda W: None,
        lambda W: 0 * W,
        lambda W: W[:-1],
        lambda W: W * np.nan,
        lambda W: W * 1e30,
        lambda W: W + 0j,
        lambda W: W > 0,
        lambda W: "W",
        lambda W: {"W": W},
    ],
)
def test_hostile_outputs_are_refused(spoil, smoke):
    try:
        verdict = judge(smoke, spoil(smoke.secret[1] / np.abs(smoke.secret[1]).max()), None)
    except Rejected:
        return
    assert not verdict.valid
