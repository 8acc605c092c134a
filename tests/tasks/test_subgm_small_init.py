"""subgm_small_init: the instances against their description, what the judge refuses, and what the programs reach."""

import numpy as np
import pytest

from speciate.evaluators import Rejected
from speciate.tasks.linear_systems.subgm_small_init import baseline, known_few_columns, reference
from speciate.tasks.linear_systems.subgm_small_init.task import instances, judge

PROGRAMS = [baseline, known_few_columns, reference]


@pytest.fixture(scope="module")
def default():
    return {instance.name: instance for instance in instances(np.random.default_rng(0), "default")}


def error(program, instance):
    verdict = judge(instance, program.recover(**instance.inputs), None)
    assert verdict.valid
    return verdict.metrics["error"]


def test_measurements_are_fewer_than_unknowns_and_mostly_exact(default):
    for name, instance in default.items():
        A, y, X = instance.inputs["A"], instance.inputs["y"], instance.secret
        m, d, _ = A.shape
        assert m < d * (d + 1) / 2
        assert np.array_equal(A, A.transpose(0, 2, 1))
        assert np.linalg.eigvalsh(X)[0] > -1e-12
        assert 1 <= np.linalg.matrix_rank(X, tol=1e-9) <= instance.inputs["rank_bound"]
        exact = np.abs(y - np.einsum("mij,ij->m", A, X)) < 1e-9
        assert exact.mean() > 0.7 or (name == "cauchy" and not exact.any())


def test_instances_and_programs_repeat():
    one, other = (instances(np.random.default_rng(5), "default") for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.inputs["y"], b.inputs["y"])
        assert np.array_equal(a.secret, b.secret)
    for program in PROGRAMS:
        assert np.array_equal(program.recover(**one[0].inputs), program.recover(**other[0].inputs))


def test_the_error_of_the_truth_is_zero_and_that_of_nothing_one(default):
    instance = default["cauchy"]
    assert judge(instance, instance.secret, None).metrics["error"] == 0.0
    assert judge(instance, np.zeros((24, 24)), None).metrics["error"] == 1.0


@pytest.mark.parametrize(
    "output",
    [
        None,
        0.0,
        [],
        "X",
        np.zeros(24),
        np.zeros((23, 24)),
        np.full((24, 24), np.nan),
        np.full((24, 24), np.inf),
        np.full((24, 24), 1e7),
        np.zeros((24, 24), complex),
        np.zeros((24, 24), bool),
    ],
)
def test_hostile_outputs_are_refused(default, output):
    with pytest.raises(Rejected):
        judge(default["cauchy"], output, None)


def test_regression_without_rank_fits_everything_and_is_far_from_the_truth(default):
    """The trap of the row: with more measurements than unknowns, robust regression would find the truth exactly."""
    A, y, X = (default["few outliers"].inputs["A"], default["few outliers"].inputs["y"], default["few outliers"].secret)
    flat = A.reshape(len(A), -1)
    estimate = np.linalg.lstsq(flat, y, rcond=None)[0]
    assert np.allclose(flat @ estimate, y)
    assert np.linalg.norm(estimate.reshape(24, 24) - X) > 0.5 * np.linalg.norm(X)


def test_a_small_start_wins_where_the_bound_is_loose_and_ties_where_it_is_exact(default):
    for name in ("few outliers", "more outliers", "few outliers, closer bound"):
        assert error(reference, default[name]) < 0.2 * error(baseline, default[name])
    assert error(reference, default["cauchy"]) < error(baseline, default["cauchy"])
    known = default["few outliers, known rank"]
    assert error(reference, known) == pytest.approx(error(baseline, known), rel=1.0)
