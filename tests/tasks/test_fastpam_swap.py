"""fastpam_swap: results against the package kmedoids, the test of optimality, and what the programs reach."""

import time

import numpy as np
import pytest

from speciate.evaluators import Rejected
from speciate.tasks.clustering.fastpam_swap import baseline, known_eager, reference
from speciate.tasks.clustering.fastpam_swap.task import best_swap, instances, judge, total_deviation

PROGRAMS = [baseline, reference, known_eager]


@pytest.fixture(scope="module")
def default():
    return instances(np.random.default_rng(0), "default")


@pytest.fixture(scope="module")
def small():
    return instances(np.random.default_rng(0), "smoke")


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_are_valid_on_every_kind(program, default):
    for seed in range(4):
        for instance in instances(np.random.default_rng(seed), "smoke"):
            assert judge(instance, program.pam(**instance.inputs), None).valid
    for instance in default:
        assert judge(instance, program.pam(**instance.inputs), None).valid


def test_the_quick_pass_gives_pams_result(default, small):
    for instance in (*default, *small):
        slow, fast = (total_deviation(instance.inputs["D"], p.pam(**instance.inputs)) for p in (baseline, reference))
        assert fast == pytest.approx(slow, rel=1e-9)


def test_the_result_is_the_packages_from_the_same_start(default):
    package = pytest.importorskip("kmedoids")
    for instance in default:
        D, k = instance.inputs["D"], instance.inputs["k"]
        start = np.asarray(reference.build(D, k)).astype(np.uint64)
        theirs = package.fastpam1(D, start)
        assert total_deviation(D, reference.pam(D, k)) == pytest.approx(theirs.loss, rel=1e-9)


def test_the_best_swap_is_that_of_plain_loops(small):
    D = small[0].inputs["D"][:20, :20]
    medoids = np.array([3, 8, 15])
    least = min(
        total_deviation(D, np.append(np.delete(medoids, i), j)) for i in range(3) for j in range(20) if j not in medoids
    )
    assert min(least, total_deviation(D, medoids)) == pytest.approx(best_swap(D, medoids))


def test_stopping_early_and_careless_starts_are_refused(default):
    rng = np.random.default_rng(0)
    for instance in default:
        D, k = instance.inputs["D"], instance.inputs["k"]
        assert not judge(instance, rng.choice(len(D), k, replace=False), None).valid
        assert not judge(instance, reference.build(D, k), None).valid
        medoids = reference.pam(D, k)
        medoids[0] = next(j for j in range(len(D)) if j not in medoids)
        assert not judge(instance, medoids, None).valid


@pytest.mark.parametrize(
    "output",
    [
        None,
        12,
        "123456789012",
        [],
        list(range(11)),
        [0] * 12,
        [*range(11), 10**4],
        [-1, *range(11)],
        np.arange(12.0),
        np.arange(12) > 3,
        np.arange(12)[:, None],
        [*range(11), float("nan")],
        list(range(12)),
    ],
)
def test_hostile_outputs_are_refused(small, output):
    try:
        verdict = judge(small[0], output, None)
    except Rejected:
        return
    assert not verdict.valid


def test_matrices_repeat(default):
    for instance, again in zip(default, instances(np.random.default_rng(0), "default"), strict=True):
        assert np.array_equal(instance.inputs["D"], again.inputs["D"])
        assert instance.secret == again.secret


def test_the_reference_is_faster(default):
    def seconds(program):
        began = time.process_time()
        for instance in default:
            program.pam(**instance.inputs)
        return time.process_time() - began

    seconds(reference)
    assert seconds(reference) < 0.7 * seconds(baseline)
