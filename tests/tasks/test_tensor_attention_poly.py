"""tensor_attention_poly: the exact sum against einsum, what the judge refuses, and what the programs reach."""

import time

import numpy as np
import pytest

from speciate.evaluators import Rejected
from speciate.tasks.attention_kernels.tensor_attention_poly import baseline, known_single_precision, reference
from speciate.tasks.attention_kernels.tensor_attention_poly.task import TOLERANCE, instances, judge
from speciate.tasks.attention_kernels.workloads import tensor_attention, tensor_attention_inputs

PROGRAMS = [baseline, known_single_precision, reference]


@pytest.fixture(scope="module")
def default():
    return instances(np.random.default_rng(0), "default")


@pytest.fixture(scope="module")
def small():
    return instances(np.random.default_rng(0), "smoke")[0]


def test_the_exact_output_is_that_of_the_full_tensor():
    rng = np.random.default_rng(1)
    inputs = tensor_attention_inputs(rng, "spread", 48, 3, 1.2)
    Q, K1, K2, V1, V2 = inputs.values()
    A = np.exp(np.einsum("il,jl,kl->ijk", Q, K1, K2) / 3)
    full = np.einsum("ijk,jl,kl->il", A, V1, V2) / A.sum(axis=(1, 2))[:, None]
    assert np.allclose(tensor_attention(**inputs), full, rtol=1e-12)


@pytest.mark.parametrize("kind", ["spread", "clustered", "few large"])
def test_entries_are_bounded_and_repeat(kind):
    one, other = (tensor_attention_inputs(np.random.default_rng(2), kind, 50, 4, 1.2) for _ in range(2))
    for name, matrix in one.items():
        assert np.array_equal(matrix, other[name])
        assert name in {"V1", "V2"} or np.abs(matrix).max() <= 1.2


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_are_valid_on_every_kind(program, default):
    for instance in default:
        assert judge(instance, program.attend(**instance.inputs), None).valid
    for seed in range(5):
        instance = instances(np.random.default_rng(seed), "smoke")[0]
        assert judge(instance, program.attend(**instance.inputs), None).valid


def test_the_reference_holds_its_error_where_scores_are_large():
    inputs = tensor_attention_inputs(np.random.default_rng(0), "spread", 60, 4, 1.5)
    exact = tensor_attention(**inputs)
    error = np.abs(reference.attend(**inputs) - exact).max()
    assert error < TOLERANCE * np.abs(exact - exact.mean(axis=0)).max()


def test_too_coarse_results_are_invalid(default):
    rng = np.random.default_rng(0)
    for instance in default:
        exact, inputs = instance.secret, instance.inputs
        assert judge(instance, exact, None).valid
        assert not judge(instance, exact + 1.1 * TOLERANCE * np.abs(exact - exact.mean(axis=0)).max(), None).valid
        assert not judge(instance, exact[::-1], None).valid
        assert not judge(instance, np.tile(exact.mean(axis=0), (len(exact), 1)), None).valid
        j, k = rng.integers(0, len(exact), (2, 4000))
        A = np.exp(inputs["Q"] @ (inputs["K1"][j] * inputs["K2"][k]).T / exact.shape[1])
        sampled = A @ (inputs["V1"][j] * inputs["V2"][k]) / A.sum(axis=1)[:, None]
        assert not judge(instance, sampled, None).valid


@pytest.mark.parametrize(
    "change", [lambda x: None, lambda x: 1.0, lambda x: "O", lambda x: x[:-1], lambda x: x * np.nan]
)
def test_hostile_outputs_are_refused(small, change):
    with pytest.raises(Rejected):
        judge(small, change(small.secret), None)


def test_the_reference_is_faster(default):
    def seconds(program):
        began = time.process_time()
        for instance in default:
            program.attend(**instance.inputs)
        return time.process_time() - began

    assert seconds(reference) < 0.3 * seconds(baseline)
