"""hsbm_bottom_up: agreement against scikit-learn, the planted trees, what the judge refuses, and what is recovered."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import average, fcluster

from speciate.evaluators import Rejected
from speciate.tasks.clustering.hsbm_bottom_up import baseline, reference
from speciate.tasks.clustering.hsbm_bottom_up.task import instances, judge
from speciate.tasks.clustering.workloads import adjusted_mutual_information, tree_blocks

agreement = adjusted_mutual_information


@pytest.fixture(scope="module")
def small():
    return instances(np.random.default_rng(0), "smoke")[0]


def truth(instance):
    depth = instance.inputs["depth"]
    return np.column_stack([instance.secret >> (depth - level) for level in range(1, depth + 1)])


def test_agreement_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, other = rng.integers(0, rng.integers(2, 9), 90), rng.integers(0, rng.integers(2, 9), 90)
        other = np.where(rng.random(90) < 0.5, one, other)
        assert agreement(one, other) == pytest.approx(metrics.adjusted_mutual_info_score(one, other), abs=1e-9)


def test_agreement_is_one_for_the_same_communities_and_none_for_random_or_constant_ones():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 8, 400)
    assert agreement(rng.permutation(8)[labels], labels) == pytest.approx(1)
    assert agreement(np.zeros(400, dtype=int), labels) == 0
    assert abs(np.mean([agreement(rng.integers(0, 8, 400), labels) for _ in range(50)])) < 0.01


def test_densities_are_those_of_the_common_ancestor():
    sizes = np.array([100, 150, 200, 150])
    A, labels = tree_blocks(np.random.default_rng(0), sizes, (0.02, 0.1, 0.4))
    assert np.array_equal(A, A.T)
    assert not np.diag(A).any()
    assert np.array_equal(np.bincount(labels), sizes)
    blocks = np.array([[A[np.ix_(labels == a, labels == b)].mean() for b in range(4)] for a in range(4)])
    expected = [[0.4, 0.1, 0.02, 0.02], [0.1, 0.4, 0.02, 0.02], [0.02, 0.02, 0.4, 0.1], [0.02, 0.02, 0.1, 0.4]]
    assert blocks == pytest.approx(np.array(expected), abs=0.01)
    assert not np.array_equal(labels, np.sort(labels))


def test_the_truth_is_perfect_and_its_leaves_alone_are_not(small):
    assert judge(small, truth(small), None).metrics["agreement"] == pytest.approx(1)
    for program in (baseline, reference):
        assert judge(small, program.tree(**small.inputs), None).valid


def test_linkage_is_scipys_average_linkage():
    """With communities of one size, mean densities merge as average linkage of their negatives does."""
    rng = np.random.default_rng(0)
    leaves = np.arange(8).repeat(5)
    A = (rng.random((40, 40)) < 0.3).astype(float)
    A = np.triu(A, 1) + np.triu(A, 1).T
    members = np.eye(8)[leaves]
    dissimilarity = 1 - members.T @ A @ members / 25
    theirs = average(dissimilarity[np.triu_indices(8, 1)])
    ours = reference.linkage(A, leaves, [2, 4])
    for count in (2, 4):
        groups = fcluster(theirs, count, "maxclust")
        assert agreement(ours[count], groups) == pytest.approx(1)


def shifted(labels):
    labels[:, 0] = np.roll(labels[:, 0], 1)


def too_many(labels):
    labels[:, 0] = np.arange(len(labels)) % 3


def too_large(labels):
    labels[0, 0] = len(labels)


def negative(labels):
    labels[0, 0] = -1


@pytest.mark.parametrize("change", [shifted, too_many, too_large, negative])
def test_labels_that_are_no_hierarchy_are_refused(small, change):
    labels = truth(small)
    change(labels)
    try:
        verdict = judge(small, labels, None)
    except Rejected:
        return
    assert not verdict.valid


@pytest.mark.parametrize("output", [None, 0, [], "t", np.zeros(240), np.zeros((240, 1), int), np.zeros((240, 2)), True])
def test_hostile_outputs_are_refused(small, output):
    with pytest.raises(Rejected):
        judge(small, output, None)


def test_one_community_for_all_agrees_with_nothing(small):
    verdict = judge(small, np.zeros_like(truth(small)), None)
    assert verdict.valid
    assert verdict.metrics["agreement"] == 0


def test_graphs_repeat():
    one, other = (instances(np.random.default_rng(3), "default") for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.inputs["A"], b.inputs["A"])
        assert np.array_equal(a.secret, b.secret)


def test_from_the_leaves_up_recovers_more():
    split, merged = [], []
    for instance in instances(np.random.default_rng(4), "default")[::2]:
        split.append(judge(instance, baseline.tree(**instance.inputs), None).metrics["agreement"])
        merged.append(judge(instance, reference.tree(**instance.inputs), None).metrics["agreement"])
    assert np.mean(merged) > 0.9
    assert np.mean(merged) > np.mean(split) + 0.1
