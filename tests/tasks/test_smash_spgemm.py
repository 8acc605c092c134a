"""smash_spgemm: products against scipy and brute force, what the judge refuses, and what the programs reach."""

import time
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from speciate.evaluators import Instance, Rejected
from speciate.tasks.linear_systems.smash_spgemm import baseline, reference
from speciate.tasks.linear_systems.smash_spgemm.task import fewest_places, instances, judge
from speciate.tasks.linear_systems.workloads import compressed_rows, min_plus

PROGRAMS = [baseline, reference]


@pytest.fixture(scope="module")
def default():
    return instances(np.random.default_rng(0), "default")


@pytest.fixture(scope="module")
def small():
    return instances(np.random.default_rng(0), "smoke")[0]


def parts(instance, matrix):
    return tuple(instance.inputs[f"{matrix}_{part}"] for part in ("ptr", "idx", "val"))


def plus_times(instance):
    """What scipy's compiled product gives: the pattern is right, the values are another semiring's."""
    n, k, m = (instance.inputs[name] for name in "nkm")
    a, b = (
        csr_matrix((val, idx, ptr), shape=shape)
        for shape, (ptr, idx, val) in zip(((n, k), (k, m)), (parts(instance, x) for x in "ab"), strict=True)
    )
    product: Any = a @ b
    product.sort_indices()
    return product.indptr, product.indices, product.data


def test_the_trusted_product_is_brute_force():
    rng = np.random.default_rng(1)
    a, b = compressed_rows(rng, "uniform", 9, 7, 20), compressed_rows(rng, "uniform", 7, 8, 20)
    dense = [np.full((9, 7), np.inf), np.full((7, 8), np.inf)]
    for matrix, (ptr, idx, val) in zip(dense, (a, b), strict=True):
        for i in range(len(matrix)):
            matrix[i, idx[ptr[i] : ptr[i + 1]]] = val[ptr[i] : ptr[i + 1]]
    assert np.array_equal(min_plus(a, b, 8), (dense[0][:, :, None] + dense[1]).min(axis=1))


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_are_valid_and_their_pattern_is_scipys(program, default):
    for instance in (*default, *instances(np.random.default_rng(1), "smoke")):
        product = program.spgemm_minplus(**instance.inputs)
        assert judge(instance, product, None).valid
        theirs = plus_times(instance)
        assert np.array_equal(theirs[0], product[0])
        assert np.array_equal(theirs[1], product[1])


@pytest.mark.parametrize("program", PROGRAMS)
def test_empty_rows_and_empty_matrices(program):
    nothing = (np.zeros(4, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    one = (np.array([0, 0, 1, 1]), np.array([2]), np.array([0.5]))
    for a, b in (
        (nothing, one),
        (one, nothing),
        (one, (np.array([0, 0, 0, 2]), np.array([0, 2]), np.array([0.1, 0.2]))),
    ):
        ptr, idx, val = program.spgemm_minplus(3, 3, 3, *a, *b)
        exact = min_plus(a, b, 3)
        assert np.array_equal(np.repeat(np.arange(3), np.diff(ptr)), np.nonzero(np.isfinite(exact))[0])
        assert np.array_equal(val, exact[np.isfinite(exact)])
        assert len(idx) == len(val)


def test_matrices_are_sorted_without_doubles_and_repeat(default):
    for instance, again in zip(default, instances(np.random.default_rng(0), "default"), strict=True):
        for matrix in "ab":
            ptr, idx, val = parts(instance, matrix)
            assert all(np.array_equal(x, y) for x, y in zip((ptr, idx, val), parts(again, matrix), strict=True))
            assert ptr[-1] == len(idx) == len(val)
            rows = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
            assert (np.diff(rows * instance.inputs["m" if matrix == "b" else "k"] + idx) > 0).all()
            assert val.min() > 0
            assert idx.max() < instance.inputs["m" if matrix == "b" else "k"]


def unsorted(instance):
    ptr, idx, val = reference.spgemm_minplus(**instance.inputs)
    row = np.flatnonzero(np.diff(ptr) > 1)[0]
    order = np.arange(len(idx))
    order[[ptr[row], ptr[row] + 1]] = order[[ptr[row] + 1, ptr[row]]]
    return ptr, idx[order], val[order]


def too_much(instance):
    ptr, idx, val = reference.spgemm_minplus(**instance.inputs)
    free = np.setdiff1d(np.arange(instance.inputs["m"]), idx[ptr[-2] :])[-1:]
    last = np.sort(np.append(idx[ptr[-2] :], free))
    return np.append(ptr[:-1], ptr[-1] + 1), np.append(idx[: ptr[-2]], last), np.append(val, 1.0)


def off(instance):
    ptr, idx, val = reference.spgemm_minplus(**instance.inputs)
    return ptr, idx, val * (1 + np.where(np.arange(len(val)) == 7, 1e-9, 0.0))


def any_sum(instance):
    """The sum over the last k instead of the least one."""
    ptr, idx, _ = reference.spgemm_minplus(**instance.inputs)
    return ptr, idx, np.full(len(idx), 1.0)


@pytest.mark.parametrize("wrong", [plus_times, unsorted, too_much, off, any_sum])
def test_wrong_products_are_invalid(small, wrong):
    assert not judge(small, wrong(small), None).valid


@pytest.mark.parametrize(
    "output",
    [
        None,
        0,
        [],
        (1, 2, 3),
        (np.zeros(257, int), np.zeros(0, int), np.zeros(1)),
        (np.zeros(257, int), np.zeros(0, int), np.zeros(0)),
        (np.zeros(257), np.zeros(0, int), np.zeros(0)),
        (np.arange(257), np.zeros(256, int), np.full(256, np.nan)),
        (np.arange(257), np.full(256, 256), np.zeros(256)),
        (np.arange(257)[::-1], np.zeros(0, int), np.zeros(0)),
    ],
)
def test_hostile_outputs_are_refused(small, output):
    try:
        verdict = judge(small, output, None)
    except Rejected:
        return
    assert not verdict.valid


def test_the_reference_is_faster(default):
    def seconds(program):
        began = time.process_time()
        for instance in default:
            program.spgemm_minplus(**instance.inputs)
        return time.process_time() - began

    assert seconds(reference) < 0.6 * seconds(baseline)


def test_no_product_has_fewer_places_than_are_counted_on(default):
    for instance in default:
        a, b = (parts(instance, matrix) for matrix in "ab")
        places = int(np.isfinite(min_plus(a, b, instance.inputs["m"])).sum())
        assert 0 < fewest_places(instance) <= places


def test_rows_that_are_empty_count_nothing():
    inputs = {"a_ptr": np.array([0, 0, 2, 2]), "a_idx": np.array([0, 1]), "b_ptr": np.array([0, 3, 4, 9])}
    assert fewest_places(Instance("by hand", inputs)) == 3
