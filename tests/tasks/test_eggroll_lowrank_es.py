"""eggroll_lowrank_es: the hidden fitness, proofs of members, the low-rank products, and the target reached."""

import numpy as np
import pytest

from speciate.evaluators import CallLog, OracleRefused
from speciate.evaluators.trial import judged
from speciate.tasks.zeroth_order import workloads
from speciate.tasks.zeroth_order.eggroll_lowrank_es import baseline, known_noise_table, reference
from speciate.tasks.zeroth_order.eggroll_lowrank_es.task import TARGET, Rater, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, rater):
        self.rater = rater

    def outputs(self, *args, **kwargs):
        return self.rater.serve("outputs", args, kwargs)

    def fitness(self, *args, **kwargs):
        return self.rater.serve("fitness", args, kwargs)


def run(train, instance):
    rater = Rater(instance)
    inputs = dict(instance.inputs) | {"weights": [matrix.copy() for matrix in instance.inputs["weights"]]}
    return judged(task, instance, train(Direct(rater), **inputs), rater.log)


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def test_the_fitness_is_the_rounded_lead_of_the_right_class():
    logits = np.array([[[1.0, 0.44, 0.0], [0.0, 5.0, 9.0]], [[0.0, 0.12, 0.0], [0.3, 0.3, 0.3]]])
    assert workloads.rounded_margin(logits, np.array([0, 2])) == pytest.approx([(0.6 + 1.0) / 2, -0.05])


def test_labels_can_be_told_from_the_points_and_few_directions_hold_them():
    source = workloads.labelled(np.random.default_rng(1), 50, 4, 3)
    points, labels = source.draw(np.random.default_rng(2), 2000)
    linear = points @ np.linalg.pinv(source.embedding) @ source.teacher
    assert np.mean(linear.argmax(axis=1) == labels) > 0.9
    variances = np.linalg.eigvalsh(np.cov(points.T))[::-1]
    assert variances[3] > 50 * variances[4]


def test_instances_repeat_and_differ_between_seeds():
    first, again, other = (instances(np.random.default_rng(seed), "default") for seed in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.inputs["X"], b.inputs["X"])
        assert a.secret.seed == b.secret.seed
        assert not np.array_equal(a.inputs["X"], c.inputs["X"])


def test_a_generation_is_two_calls_and_tells_the_fitness_of_all(smoke):
    rater = Rater(smoke)
    rng = np.random.default_rng(0)
    members = [[w + 0.1 * rng.standard_normal(w.shape) for w in smoke.inputs["weights"]] for _ in range(5)]
    for points, labels in zip(smoke.inputs["X"][:3], smoke.secret.labels, strict=False):
        logits = np.stack([workloads.three_layers(member, points) for member in members])
        told = Direct(rater).fitness(members[Direct(rater).outputs(logits)])
        assert told == pytest.approx(workloads.rounded_margin(logits, labels))
    assert (rater.log.done, rater.log.members, rater.log.forged) == (3, 15, False)


def test_outputs_of_no_network_are_found_out_for_good(smoke):
    def forge(oracle, weights, X, target):
        logits = np.zeros((200, X.shape[1], 4), dtype=np.float32)
        logits[0] = workloads.three_layers(weights, X[0])
        try:
            oracle.outputs(logits)
            oracle.fitness(weights)
        except OracleRefused:
            return weights
        raise AssertionError("the forged outputs were taken")

    verdict = run(forge, smoke)
    assert not verdict.valid
    assert "proof" in verdict.note


def test_calls_out_of_turn_are_refused(smoke):
    weights, points = smoke.inputs["weights"], smoke.inputs["X"]
    logits = workloads.three_layers(weights, points[0])[None]
    oracle = Direct(Rater(smoke))
    with pytest.raises(OracleRefused):
        oracle.fitness(weights)
    oracle.outputs(logits)
    with pytest.raises(OracleRefused):
        oracle.outputs(logits)
    oracle.fitness(weights)
    for batch in points[1:]:
        oracle.outputs(workloads.three_layers(weights, batch)[None])
        oracle.fitness(weights)
    with pytest.raises(OracleRefused):
        oracle.outputs(logits)


@pytest.mark.parametrize(
    "logits",
    [None, "x", 0.0, np.zeros((16, 4)), np.zeros((0, 16, 4)), np.zeros((257, 16, 4)), np.full((1, 16, 4), np.nan)],
)
def test_bad_outputs_are_refused(smoke, logits):
    with pytest.raises(OracleRefused):
        Direct(Rater(smoke)).outputs(logits)


@pytest.mark.parametrize("output", [None, 0, [], [np.zeros((32, 32))] * 3, [np.full((32, 32), np.nan)] * 2 + [None]])
def test_spoiled_networks_are_invalid(smoke, output):
    assert not judged(task, smoke, output, CallLog()).valid


def test_the_start_and_a_network_of_zeros_are_below_the_target(smoke):
    assert not judged(task, smoke, smoke.inputs["weights"], CallLog()).valid
    assert not judged(task, smoke, [np.zeros_like(w) for w in smoke.inputs["weights"]], CallLog()).valid


@pytest.mark.parametrize("rank", [1, 3])
def test_the_batched_products_are_those_of_the_perturbed_networks(monkeypatch, rank):
    monkeypatch.setattr(reference, "RANK", rank)
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape).astype(np.float32) for shape in ((6, 5), (6, 6), (3, 6))]
    points = rng.standard_normal((4, 5)).astype(np.float32)
    factors = [reference._factors(rng, matrix.shape) for matrix in weights]
    outputs = reference._forward(weights, factors, points, 0.1)
    gains = rng.standard_normal(reference.PAIRS)
    for pair in (0, 7):
        dense = [w + 0.1 / np.sqrt(rank) * a[pair] @ b[pair].T for w, (a, b) in zip(weights, factors, strict=True)]
        assert outputs[pair] == pytest.approx(workloads.three_layers(dense, points), abs=1e-4)
    a, b = factors[1]
    update = sum(gain * x @ y.T for gain, x, y in zip(gains, a, b, strict=True)) / np.sqrt(rank)
    scale = reference.RATE / (2 * reference.PAIRS)
    assert reference._update(gains, a, b) == pytest.approx(scale * update, abs=1e-5)


def test_low_rank_needs_no_more_generations_than_dense_perturbations():
    done = {}
    for program in (baseline, reference, known_noise_table):
        verdicts = [
            run(program.train, one) for seed in range(4) for one in instances(np.random.default_rng(seed), "smoke")
        ]
        assert all(verdict.valid and verdict.metrics["fitness"] >= TARGET for verdict in verdicts)
        done[program] = np.mean([verdict.metrics["generations"] for verdict in verdicts])
    assert done[reference] < 1.3 * done[baseline]
