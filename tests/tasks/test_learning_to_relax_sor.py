"""learning_to_relax_sor: iterations against plain loops, what is refused, and what the programs reach."""

import numpy as np
import pytest

from speciate.evaluators import CallLog, OracleRefused
from speciate.tasks.linear_systems.learning_to_relax_sor import baseline, known_fixed, reference
from speciate.tasks.linear_systems.learning_to_relax_sor.task import (
    HIGH,
    LOW,
    MOST_ITERATIONS,
    TOLERANCE,
    Solver,
    instances,
    judge,
    sor_iterations,
)


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, solver):
        self.solver = solver

    def solve(self, *args, **kwargs):
        return self.solver.serve("solve", args, kwargs)


def run(tune, instance):
    solver = Solver(instance)
    output = tune(Direct(solver), **instance.inputs)
    return judge(instance, output, solver.log)


def iterations(program, made):
    verdicts = [run(program.tune, instance) for instance in made]
    assert all(verdict.valid for verdict in verdicts)
    return np.exp(np.mean([np.log(verdict.metrics["iterations"]) for verdict in verdicts]))


@pytest.fixture(scope="module")
def default():
    return instances(np.random.default_rng(0), "default")


@pytest.mark.parametrize("omega", [0.7, 1.0, 1.5])
def test_iterations_are_those_of_sor_written_as_loops(default, omega):
    rng = np.random.default_rng(1)
    for instance in default:
        A = instance.secret.matrix + 0.1 * np.eye(64)
        b = rng.standard_normal(64)
        x, count = np.zeros(64), 0
        while np.linalg.norm(b - A @ x) > TOLERANCE * np.linalg.norm(b):
            for i in range(64):
                x[i] += omega * (b[i] - A[i] @ x) / A[i, i]
            count += 1
        assert np.allclose(x, np.linalg.solve(A, b), rtol=0, atol=1e-5 * np.abs(x).max())
        assert abs(sor_iterations(A, b, omega) - count) <= 1


def test_slow_parameters_stop_at_the_cap(default):
    A = default[0].secret.matrix + LOW * np.eye(64)
    assert sor_iterations(A, np.ones(64), 1.99) == MOST_ITERATIONS


def test_matrices_are_semidefinite_and_shifts_within_bounds(default):
    for instance in default:
        matrix = instance.secret.matrix
        assert np.allclose(matrix, matrix.T)
        assert np.diag(matrix).mean() == pytest.approx(1.0)
        assert np.linalg.eigvalsh(matrix)[0] > -1e-12
        assert instance.secret.shifts.min() >= LOW * (1 - 1e-12)
        assert instance.secret.shifts.max() <= HIGH * (1 + 1e-12)


def test_the_generator_and_the_programs_repeat():
    one, other = (instances(np.random.default_rng(3), "smoke")[0] for _ in range(2))
    assert one.inputs == other.inputs
    assert np.array_equal(one.secret.matrix, other.secret.matrix)
    assert run(reference.tune, one) == run(reference.tune, other)
    assert one.inputs != instances(np.random.default_rng(4), "smoke")[0].inputs


def test_the_next_shift_is_told_and_none_after_the_last():
    instance = instances(np.random.default_rng(0), "smoke")[0]
    solver = Solver(instance)
    told = [instance.inputs["shift"]] + [solver.serve("solve", (1.0,), {})[1] for _ in range(30)]
    assert told[:-1] == instance.secret.shifts.tolist()
    assert told[-1] is None
    with pytest.raises(OracleRefused):
        solver.serve("solve", (1.0,), {})


def test_another_number_of_solves_is_invalid():
    instance = instances(np.random.default_rng(0), "smoke")[0]

    def lazy(oracle, shift, systems, low, high, seed):
        baseline.tune(oracle, shift, systems - 1, low, high, seed)

    assert run(baseline.tune, instance).valid
    assert not run(lazy, instance).valid
    assert not run(lambda oracle, **inputs: 1.0, instance).valid
    assert not judge(instance, None, None).valid
    assert not judge(instance, None, CallLog()).valid


@pytest.mark.parametrize("omega", [None, "1", 0.0, 2.0, -1.0, np.nan, np.inf, [1.0], np.ones(2), True, 1j])
def test_bad_parameters_are_refused_and_cost_a_solve(omega):
    instance = instances(np.random.default_rng(0), "smoke")[0]
    solver = Solver(instance)
    with pytest.raises(OracleRefused):
        Direct(solver).solve(omega)
    assert solver.log.spent == 1
    with pytest.raises(OracleRefused):
        Direct(solver).solve(1.0, 1.0)
    with pytest.raises(OracleRefused):
        Direct(solver).solve(omega=1.0)


def test_learning_with_context_beats_one_parameter_for_all(default):
    assert iterations(reference, default) < 0.9 * iterations(known_fixed, default)
    assert iterations(known_fixed, default) < 0.7 * iterations(baseline, default)
