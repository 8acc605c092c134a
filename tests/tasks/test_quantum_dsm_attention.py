"""quantum_dsm_attention: Sinkhorn against POT, the circuit against matrices, the traps, and what the programs reach."""

import numpy as np
import pytest

from speciate.evaluators import Rejected
from speciate.tasks.attention_kernels.quantum_dsm_attention import baseline, known_cold_sinkhorn, reference
from speciate.tasks.attention_kernels.quantum_dsm_attention.task import drive, instances, judge
from speciate.tasks.attention_kernels.workloads import logit_matrices

PROGRAMS = [baseline, reference, known_cold_sinkhorn]


class Session:
    def __init__(self, normalise):
        self.normalise = normalise

    def call(self, entry, inputs):
        return self.normalise(**inputs)


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def verdict_of(normalise, instance):
    return judge(instance, drive(instance, Session(normalise)), None)


def refused(normalise, instance):
    try:
        return not verdict_of(normalise, instance).valid
    except Rejected:
        return True


def test_the_baseline_is_the_plan_of_pot():
    sinkhorn = pytest.importorskip("ot").sinkhorn
    A = logit_matrices(np.random.default_rng(0), "products", 3)
    ones = np.full(8, 1 / 8)
    for logits, found in zip(A, baseline.normalise(A), strict=True):
        assert np.allclose(found / 8, sinkhorn(ones, ones, -logits, 1.0, stopThr=1e-13), atol=1e-7)


def test_the_circuit_is_a_product_of_rotations():
    A = logit_matrices(np.random.default_rng(1), "normal", 2)
    rng, U = np.random.default_rng(reference.SEED), np.eye(8)
    for layer in range(32):
        angles, order = A[0].ravel()[4 * (layer % 16) :][:4] + rng.uniform(-np.pi, np.pi, 4), rng.permutation(8)
        step = np.eye(8)
        for angle, i, j in zip(angles, order[:4], order[4:], strict=True):
            step[np.ix_([i, j], [i, j])] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        U = step @ U
    assert np.allclose(U @ U.T, np.eye(8))
    assert np.allclose(reference.normalise(A)[0], U**2)


def test_the_batches_hold_what_the_judge_compares(smoke):
    trials = smoke.secret
    joined = np.concatenate([trials.first, trials.second])
    assert np.array_equal(joined[trials.same[:, 0]], joined[trials.same[:, 1]])
    apart = np.linalg.norm(joined[trials.pairs[:, 0]] - joined[trials.pairs[:, 1]], axis=(1, 2))
    assert np.allclose(apart[:180].reshape(3, 60).mean(axis=1), [1e-3, 0.03, 0.3])
    assert 0 < apart[180:].max() < 0.3


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_are_valid_on_every_kind(program):
    for instance in instances(np.random.default_rng(2), "default"):
        verdict = verdict_of(program.normalise, instance)
        assert verdict.valid, verdict.note


def test_the_circuit_tells_more_than_sinkhorn():
    for instance in instances(np.random.default_rng(0), "default"):
        plain, circuit = (verdict_of(p.normalise, instance).metrics["told"] for p in (baseline, reference))
        assert circuit > plain + 0.3, instance.name


def test_instances_repeat_and_differ_between_seeds():
    one, again, other = (instances(np.random.default_rng(s), "smoke")[0].secret for s in (1, 1, 2))
    assert np.array_equal(one.second, again.second)
    assert not np.array_equal(one.first, other.first)


def permutations(order):
    return np.eye(8)[order.argsort(axis=-1)]


def test_what_hashes_rounds_or_looks_at_the_batch_is_invalid(smoke):
    def hashed(A):
        return np.stack([permutations(np.random.default_rng(hash(one.tobytes()) % 2**32).random(8)) for one in A])

    def rounded(A):
        return np.stack([hashed(np.round(2 * one[None]) + 0.0)[0] for one in A])

    def numbered(A):
        return permutations(np.random.default_rng(0).random((len(A), 8)))

    def orthogonal(A):
        return np.linalg.qr(A)[0] ** 2

    for cheat in (hashed, rounded, numbered, orthogonal):
        assert refused(cheat, smoke), cheat.__name__


def test_a_matrix_that_ignores_its_logits_is_told_by_chance(smoke):
    verdict = verdict_of(lambda A: np.full_like(A, 1 / 8), smoke)
    assert verdict.valid
    assert verdict.metrics["told"] < verdict_of(baseline.normalise, smoke).metrics["told"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda D: None,
        lambda D: D[:-1],
        lambda D: D[:, :, :-1],
        lambda D: 2 * D,
        lambda D: -D,
        lambda D: D * np.nan,
        lambda D: D + 0j,
        lambda D: D > 0,
        lambda D: D * (1 + 1e-5),
        lambda D: D / D.sum(axis=2, keepdims=True) ** 2 * 1.01,
        lambda D: "D",
    ],
)
def test_hostile_outputs_are_refused(spoil, smoke):
    assert refused(lambda A: spoil(reference.normalise(A)), smoke)


def test_softmax_alone_is_not_doubly_stochastic(smoke):
    assert refused(lambda A: np.exp(A) / np.exp(A).sum(axis=2, keepdims=True), smoke)
