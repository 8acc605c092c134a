"""gbnn_sequential_boosting: data, prefixes as boosting steps, scikit-learn's network, and what is refused."""

import numpy as np
import pytest

from speciate.evaluators import State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.optimizers import tabular
from speciate.tasks.optimizers.gbnn_sequential_boosting import baseline, known_nested_loss, reference
from speciate.tasks.optimizers.gbnn_sequential_boosting.task import instances, task

PROGRAMS = [baseline, reference, known_nested_loss]


def predict(net, X, k):
    W1, b1, W2, b2 = net
    return np.tanh(X @ W1[:, :k] + b1[:k]) @ W2[:k] + b2


def scores(program, seed):
    verdicts = [
        judged(task, instance, program.fit(**instance.inputs), None)
        for instance in instances(np.random.default_rng(seed), "default")
    ]
    assert all(verdict.valid for verdict in verdicts)
    return [verdict.metrics for verdict in verdicts]


def smoke(number=0):
    return instances(np.random.default_rng(0), "smoke")[number]


@pytest.mark.parametrize("kind", tabular.KINDS)
def test_data_are_what_they_claim_and_repeat(kind):
    train, test = tabular.KINDS[kind](np.random.default_rng(0), 400, 300, 6)
    again, _ = tabular.KINDS[kind](np.random.default_rng(0), 400, 300, 6)
    assert train.X.shape == (400, 6)
    assert test.X.shape == (300, 6)
    assert np.array_equal(train.Y, again.Y)
    if train.Y.shape[1] == 1:
        assert train.Y.var() == pytest.approx(1 + tabular.NOISE**2, rel=0.1)
    else:
        assert np.array_equal(np.unique(train.Y), [0, 1])
        assert np.array_equal(train.Y.sum(axis=1), np.ones(400))
        assert train.Y.mean(axis=0).min() > 0.1


@pytest.mark.parametrize("number", [0, 1])
def test_the_first_units_of_the_reference_are_the_boosted_model_after_as_many_steps(number):
    inputs = smoke(number).inputs
    whole, short = reference.fit(**inputs), reference.fit(**{**inputs, "H": 5})
    assert predict(whole, inputs["X"], 5) == pytest.approx(predict(short, inputs["X"], 5), abs=1e-9)


@pytest.mark.parametrize("number", [0, 1])
def test_every_boosting_step_lowers_the_training_loss(number):
    inputs = smoke(number).inputs
    net = reference.fit(**inputs)
    losses = [baseline.error(predict(net, inputs["X"], k), inputs["Y"], inputs["task"])[0] for k in (0, 5, 10, 15)]
    assert all(np.diff(losses) < 0)


def test_the_baseline_fits_as_well_as_scikit_learns_network():
    network = pytest.importorskip("sklearn.neural_network")
    instance = instances(np.random.default_rng(3), "default")[0]
    X, Y = instance.inputs["X"], instance.inputs["Y"]
    settings = {"activation": "tanh", "solver": "lbfgs", "alpha": 0.5, "max_iter": 200, "random_state": 0}
    theirs = network.MLPRegressor(hidden_layer_sizes=(40,), **settings).fit(X, Y[:, 0])
    test = instance.secret.test
    score = judged(task, instance, baseline.fit(**instance.inputs), None).metrics["full_score"]
    assert score == pytest.approx(theirs.score(test.X, test.Y[:, 0]), abs=0.04)


def test_pseudo_residuals_point_where_scikit_learns_boosting_goes():
    ensemble = pytest.importorskip("sklearn.ensemble")
    inputs = smoke(1).inputs
    labels = inputs["Y"].argmax(axis=1)
    boosted = ensemble.GradientBoostingClassifier(n_estimators=1).fit(inputs["X"], labels)
    prior = np.log(inputs["Y"].mean(axis=0))
    assert boosted.init_.class_prior_ == pytest.approx(reference.softmax(prior[None])[0])
    assert reference.fit(**inputs)[3] == pytest.approx(prior, abs=1e-6)


@pytest.mark.parametrize("k", [15, 17])
def test_more_or_fewer_units_are_refused(k):
    instance = smoke()
    wrong = (np.zeros((4, k)), np.zeros(k), np.zeros((k, 1)), np.zeros(1))
    assert not judged(task, instance, wrong, None).valid


@pytest.mark.parametrize("output", [None, "x", 0.0, [], [1, 2, 3], (np.zeros(3),) * 4, ({},) * 4])
def test_other_outputs_are_no_answers(output):
    assert not judged(task, smoke(), output, None).valid


def test_entries_that_are_not_finite_or_huge_are_refused():
    instance = smoke()
    for bad in (np.nan, np.inf, 1e7):
        net = [value.copy() for value in reference.fit(**instance.inputs)]
        net[2][0] = bad
        assert not judged(task, instance, net, None).valid


def test_a_constant_scores_nothing_and_a_bad_net_at_least_minus_one():
    for instance in (smoke(0), smoke(1)):
        p, K = instance.inputs["X"].shape[1], instance.inputs["Y"].shape[1]
        constant = (np.zeros((p, 16)), np.zeros(16), np.zeros((16, K)), instance.inputs["Y"].mean(axis=0))
        assert judged(task, instance, constant, None).metrics["prefix_score"] == pytest.approx(0, abs=1e-9)
        wild = (np.ones((p, 16)), np.ones(16), 1e6 * np.ones((16, K)), np.zeros(K))
        assert judged(task, instance, wild, None).metrics["prefix_score"] >= -1


def test_boosting_wins_in_narrow_networks_and_hardly_at_full_width():
    joint, boosted, nested = (scores(program, 5) for program in PROGRAMS)
    gains = [b["prefix_score"] - a["prefix_score"] for a, b in zip(joint, boosted, strict=True)]
    assert min(gains) > 0.1
    full = [b["full_score"] - a["full_score"] for a, b in zip(joint, boosted, strict=True)]
    assert abs(np.mean(full)) < 0.1
    assert np.mean([m["prefix_score"] for m in nested]) > np.mean([m["prefix_score"] for m in joint]) + 0.1


def test_generic_cheats_get_nothing():
    folder = load_task("gbnn_sequential_boosting")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
