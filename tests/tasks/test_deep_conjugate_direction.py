"""deep_conjugate_direction: the operator against a sparse matrix and scipy, what is refused, and the applications."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import cg

from speciate.evaluators import CallLog, OracleRefused, Rejected
from speciate.tasks.linear_systems.deep_conjugate_direction import baseline, known_fast_poisson, reference
from speciate.tasks.linear_systems.deep_conjugate_direction.task import TOLERANCE, Operators, instances, judge
from speciate.tasks.linear_systems.workloads import diffusion_on_mask, discs

PROGRAMS = [baseline, known_fast_poisson, reference]


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, operators):
        self.operators = operators

    def apply(self, *args, **kwargs):
        return self.operators.serve("apply", args, kwargs)


def run(solve_all, instance):
    operators = Operators(instance)
    return judge(instance, solve_all(Direct(operators), **instance.inputs), operators.log)


def matrix_of(mask, conductivity):
    side = len(mask)
    columns = [diffusion_on_mask(unit.reshape(side, side), mask, conductivity) for unit in np.eye(side**2)]
    return np.array([column.ravel() for column in columns]).T


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def test_the_operator_is_symmetric_positive_definite_on_the_fluid(smoke):
    mask = smoke.inputs["test_masks"][0]
    A, fluid = matrix_of(mask, smoke.secret[0]), mask.ravel() == 1
    assert pytest.approx(A.T) == A
    assert np.linalg.eigvalsh(A[np.ix_(fluid, fluid)])[0] > 0
    assert not A[~fluid].any()
    assert not A[:, ~fluid].any()


def test_with_equal_conductivities_it_is_the_five_point_laplacian():
    side = 6
    line = 2 * np.eye(side) - np.eye(side, k=1) - np.eye(side, k=-1)
    laplacian = np.kron(line, np.eye(side)) + np.kron(np.eye(side), line)
    assert matrix_of(np.ones((side, side)), np.ones((side, side))) == pytest.approx(laplacian)


def test_conductivities_differ_and_stay_in_range():
    for instance in instances(np.random.default_rng(1), "default"):
        fields = instance.secret
        assert fields.min() >= 0.7
        assert fields.max() <= 1.4
        assert not np.allclose(fields[0], fields[1])
        assert np.abs(np.diff(fields, axis=1)).max() < 0.2


def test_masks_have_up_to_three_discs():
    shares = discs(np.random.default_rng(0), 200, 48).mean(axis=(1, 2))
    assert (shares == 1).mean() == pytest.approx(0.25, abs=0.1)
    assert 0.7 < shares.min() < 0.95


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_solve_and_repeat(program, smoke):
    verdict = run(program.solve_all, smoke)
    assert verdict.valid
    assert verdict == run(program.solve_all, smoke)


def test_the_baseline_needs_the_steps_of_scipys_cg(smoke):
    mask, b = smoke.inputs["test_masks"][0], smoke.inputs["B"][0]
    steps: list[Any] = []
    matrix = matrix_of(mask, smoke.secret[0])
    cg(matrix, b.ravel(), rtol=TOLERANCE, callback=steps.append)
    assert run(baseline.solve_all, smoke).metrics["applications"] == pytest.approx(len(steps), abs=2)


def test_solving_the_nominal_operator_is_not_enough(smoke):
    """The trap of the row: the masks alone do not tell the matrix."""
    mask, b = smoke.inputs["test_masks"][0], smoke.inputs["B"][0]
    nominal = matrix_of(mask, np.ones_like(mask)) + np.diag(1 - mask.ravel())
    assert not judge(smoke, np.linalg.solve(nominal, b.ravel()).reshape(smoke.inputs["B"].shape), CallLog()).valid
    exact = matrix_of(mask, smoke.secret[0]) + np.diag(1 - mask.ravel())
    solution = np.linalg.solve(exact, b.ravel()).reshape(smoke.inputs["B"].shape)
    assert judge(smoke, solution, CallLog()).valid
    assert not judge(smoke, solution, None).valid
    assert not judge(smoke, solution * (1 + 2 * TOLERANCE), CallLog()).valid


@pytest.mark.parametrize("output", [None, 1.0, [], "X", np.zeros((1, 16)), np.full((1, 16, 16), np.nan)])
def test_hostile_outputs_are_refused(smoke, output):
    with pytest.raises(Rejected):
        judge(smoke, output, CallLog())


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (0,),
        (0, None),
        (0, np.zeros(256)),
        (0, np.zeros((15, 16))),
        (0, np.full((16, 16), np.inf)),
        (-1, np.zeros((16, 16))),
        (1, np.zeros((16, 16))),
        (0.5, np.zeros((16, 16))),
    ],
)
def test_malformed_applications_are_refused_and_cost_one(smoke, arguments):
    operators = Operators(smoke)
    with pytest.raises(OracleRefused):
        Direct(operators).apply(*arguments)
    assert operators.log.spent == 1


def test_instances_repeat(smoke):
    again = instances(np.random.default_rng(0), "smoke")[0]
    assert all(np.array_equal(smoke.inputs[name], again.inputs[name]) for name in ("B", "train_masks", "test_masks"))
    assert np.array_equal(smoke.secret, again.secret)


@pytest.mark.slow
def test_learned_directions_save_applications():
    instance = instances(np.random.default_rng(2), "default")[0]
    plain, fast, learned = (run(program.solve_all, instance) for program in PROGRAMS)
    assert plain.valid
    assert fast.valid
    assert learned.valid
    assert learned.metrics["applications"] < 0.5 * plain.metrics["applications"]
    assert fast.metrics["applications"] < learned.metrics["applications"]


def test_smoke_instances_tell_the_programs_apart(smoke):
    applications = [run(program.solve_all, smoke).metrics["applications"] for program in PROGRAMS]
    assert applications[2] < 0.7 * applications[0]
