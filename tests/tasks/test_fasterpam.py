"""fasterpam: losses against the package kmedoids, what the judge refuses, and what the programs reach."""

import time

import numpy as np
import pytest

from speciate.evaluators import Rejected
from speciate.tasks.clustering.fasterpam import baseline, known_build_start, reference
from speciate.tasks.clustering.fasterpam.task import instances, judge, total_deviation

PROGRAMS = [baseline, reference, known_build_start]


@pytest.fixture(scope="module")
def default():
    return instances(np.random.default_rng(0), "default")


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_are_valid_on_every_kind(program):
    for seed in range(5):
        for instance in instances(np.random.default_rng(seed), "smoke"):
            assert judge(instance, program.kmedoids(**instance.inputs), None).valid


def test_the_reference_reaches_the_loss_of_the_package_from_the_same_start(default):
    package = pytest.importorskip("kmedoids")
    for instance in default:
        D, k, seed = (instance.inputs[name] for name in ("D", "k", "seed"))
        start = np.random.default_rng(seed).choice(len(D), k, replace=False).astype(np.uint64)
        theirs = package.fasterpam(D, start, random_state=None)
        assert total_deviation(D, reference.kmedoids(D, k, seed)) == pytest.approx(theirs.loss, rel=1e-9)


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_single_swap_improves_a_result(program):
    for instance in instances(np.random.default_rng(1), "smoke"):
        D, k = instance.inputs["D"], instance.inputs["k"]
        medoids = np.asarray(program.kmedoids(**instance.inputs))
        reached = total_deviation(D, medoids)
        for i in range(k):
            others = D[:, np.delete(medoids, i)].min(axis=1)
            assert np.minimum(D, others[:, None]).sum(axis=0).min() >= reached - 1e-8


def test_matrices_are_dissimilarities_and_repeat():
    one, other = (instances(np.random.default_rng(5), "default") for _ in range(2))
    for instance, again in zip(one, other, strict=True):
        D = instance.inputs["D"]
        assert np.array_equal(D, again.inputs["D"])
        assert instance.secret == again.secret
        assert np.isfinite(D).all()
        assert D.min() >= 0
        assert np.allclose(D, D.T)
        assert not np.diag(D).any()


def test_quick_and_careless_methods_are_refused(default):
    rng = np.random.default_rng(0)
    for instance in default:
        D, k = instance.inputs["D"], instance.inputs["k"]
        assert not judge(instance, rng.choice(len(D), k, replace=False), None).valid
        assert not judge(instance, best_of_random(D, k, rng), None).valid
        assert not judge(instance, alternating(D, k, rng), None).valid
        sample = rng.choice(len(D), 3 * k, replace=False)
        assert not judge(instance, sample[reference.kmedoids(D[np.ix_(sample, sample)], k, 0)], None).valid


def best_of_random(D, k, rng):
    return min((rng.choice(len(D), k, replace=False) for _ in range(50)), key=lambda m: total_deviation(D, m))


def alternating(D, k, rng):
    medoids = rng.choice(len(D), k, replace=False)
    for _ in range(30):
        first = D[:, medoids].argmin(axis=1)
        groups = [np.flatnonzero(first == i) for i in range(k)]
        medoids = np.array([g[D[np.ix_(g, g)].sum(axis=1).argmin()] for g in groups])
    return medoids


@pytest.mark.parametrize(
    "output",
    [
        None,
        20,
        "12345678",
        [],
        list(range(19)),
        [0] * 20,
        [*range(19), 10**4],
        [-1, *range(19)],
        [*range(19), 19.5],
        np.arange(20.0),
        np.arange(20) > 3,
        np.arange(20)[:, None],
        [*range(19), float("nan")],
        [*range(19), 10**30],
        list(range(20)),
    ],
)
def test_hostile_outputs_are_refused(output):
    instance = instances(np.random.default_rng(0), "smoke")[0]
    try:
        verdict = judge(instance, output, None)
    except Rejected:
        return
    assert not verdict.valid


def test_the_reference_is_faster(default):
    def seconds(program):
        began = time.process_time()
        for instance in default:
            program.kmedoids(**instance.inputs)
        return time.process_time() - began

    assert seconds(reference) < 0.7 * seconds(baseline)
