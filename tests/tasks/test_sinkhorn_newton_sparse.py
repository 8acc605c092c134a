"""sinkhorn_newton_sparse: plans against POT, what the judge refuses, and what the programs reach."""

import time

import numpy as np
import pytest

from speciate.evaluators import Rejected
from speciate.tasks.optimal_transport import workloads
from speciate.tasks.optimal_transport.sinkhorn_newton_sparse import baseline, known_overrelaxed_sinkhorn, reference
from speciate.tasks.optimal_transport.sinkhorn_newton_sparse.task import instances, judge

PROGRAMS = [baseline, reference, known_overrelaxed_sinkhorn]


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")


def solved(program, instance):
    return program.solve(**instance.inputs)


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_solve_every_instance(program):
    for seed in range(3):
        for instance in instances(np.random.default_rng(seed), "smoke"):
            assert judge(instance, solved(program, instance), None).valid


def test_the_plans_are_those_of_pot():
    bregman = pytest.importorskip("ot").bregman
    C, a, b = workloads.images(np.random.default_rng(2), 8, 2)
    eps = 1 / 300
    theirs = bregman.sinkhorn_log(a, b, C, eps, numItermax=20_000, stopThr=1e-11)
    for program in PROGRAMS:
        x, y = program.solve(C, a, b, eps, 1e-9)
        assert np.abs(np.exp((x[:, None] + y - C) / eps) - theirs).sum() < 1e-6


def test_the_generator_is_deterministic_and_scaled():
    one, other = (instances(np.random.default_rng(3), "default") for _ in range(2))
    for instance, again in zip(one, other, strict=True):
        assert all(np.array_equal(instance.inputs[key], again.inputs[key]) for key in instance.inputs)
        assert instance.inputs["C"].max() == 1.0
        assert instance.inputs["a"].min() > 0
        assert instance.inputs["a"].sum() == pytest.approx(1.0)
    fresh = instances(np.random.default_rng(4), "default")
    assert not np.array_equal(one[0].inputs["C"], fresh[0].inputs["C"])


def test_the_spectral_gap_is_sinkhorns_rate():
    (C, a, b), sharpness = workloads.assignment(np.random.default_rng(1), 48, gap=0.02)
    K, v, errors = np.exp(-C * sharpness), np.ones(48), []
    for _ in range(400):
        u = a / (K @ v)
        errors.append(np.abs(v * (K.T @ u) - b).sum())
        v = b / (K.T @ u)
    rate = (errors[250] / errors[150]) ** 0.01
    assert 1 - rate == pytest.approx(0.02, rel=0.07)


def test_lower_accuracy_is_refused(smoke):
    inputs = dict(smoke[0].inputs) | {"tol": 1e-7}
    assert not judge(smoke[0], baseline.solve(**inputs), None).valid


def test_potentials_of_another_instance_are_refused(smoke):
    other = instances(np.random.default_rng(9), "smoke")
    for mine, theirs in zip(smoke, other, strict=True):
        assert not judge(mine, solved(baseline, theirs), None).valid


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x, y: None,
        lambda x, y: x,
        lambda x, y: (x, y, y),
        lambda x, y: (x[:-1], y),
        lambda x, y: (x[:, None], y),
        lambda x, y: (x + np.nan, y),
        lambda x, y: (x + np.inf, y - np.inf),
        lambda x, y: (x + 0j, y),
        lambda x, y: (x.astype(bool), y),
        lambda x, y: (x + 1e6, y - 1e6),
        lambda x, y: (0 * x, 0 * y),
        lambda x, y: (x.tolist(), "y"),
        lambda x, y: (x + 0.01, y),
    ],
)
def test_hostile_outputs_are_refused(spoil, smoke):
    try:
        verdict = judge(smoke[0], spoil(*solved(baseline, smoke[0])), None)
    except Rejected:
        return
    assert not verdict.valid


def test_the_reference_is_faster_where_the_paper_says_so():
    def seconds(program):
        began = time.process_time()
        for instance in problems:
            assert judge(instance, solved(program, instance), None).valid
        return time.process_time() - began

    problems = instances(np.random.default_rng(0), "default")
    assert seconds(reference) < 0.8 * seconds(baseline)
