"""krylov_recycling_skr: matrices and products against scipy, what is refused, and what the programs reach."""

from typing import Any

import numpy as np
import pytest

from speciate.evaluators import CallLog, OracleRefused, Rejected
from speciate.tasks.linear_systems.krylov_recycling_skr import baseline, known_long_restart, reference
from speciate.tasks.linear_systems.krylov_recycling_skr.task import TOLERANCE, Products, instances, judge
from speciate.tasks.linear_systems.workloads import convection_diffusion

PROGRAMS = [baseline, known_long_restart, reference]


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, products):
        self.products = products

    def apply(self, *args, **kwargs):
        return self.products.serve("apply", args, kwargs)


def run(solve_family, instance):
    products = Products(instance)
    return judge(instance, solve_family(Direct(products), **instance.inputs), products.log)


@pytest.fixture(scope="module")
def default():
    return instances(np.random.default_rng(0), "default")


@pytest.fixture(scope="module")
def small():
    return instances(np.random.default_rng(0), "smoke")[0]


def test_the_scheme_solves_a_problem_with_known_solution():
    """u = x (1 - x) y (1 - y) with constant coefficient: central differences are exact for it but for convection."""
    from scipy.sparse.linalg import spsolve

    side, velocity = 30, np.array([1.5, -0.5])
    h = 1 / (side + 1)
    x, y = np.meshgrid(*2 * [np.arange(1, side + 1) * h], indexing="ij")
    diffusion = 2 * (x * (1 - x) + y * (1 - y))
    convection = velocity[0] * (1 - 2 * x) * y * (1 - y) + velocity[1] * x * (1 - x) * (1 - 2 * y)
    matrix = convection_diffusion(np.ones((side, side)), velocity)
    solved: Any = spsolve(matrix.tocsc(), h**2 * (diffusion + convection).ravel())
    assert np.allclose(solved, (x * (1 - x) * y * (1 - y)).ravel(), atol=1e-12)


def test_matrices_are_not_symmetric_and_repeat(default):
    again = instances(np.random.default_rng(0), "default")
    for instance, other in zip(default, again, strict=True):
        assert np.array_equal(instance.inputs["params"], other.inputs["params"])
        assert np.array_equal(instance.inputs["B"], other.inputs["B"])
        for matrix, twin in zip(instance.secret, other.secret, strict=True):
            assert abs(matrix - twin).max() == 0
            assert abs(matrix - matrix.T).max() > 1e-3


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_solve_and_repeat(program, small):
    verdict = run(program.solve_family, small)
    assert verdict.valid
    assert verdict == run(program.solve_family, small)


def test_the_baseline_needs_the_steps_of_scipys_gmres(small):
    from scipy.sparse.linalg import gmres

    steps = 0
    for matrix, b in zip(small.secret, small.inputs["B"], strict=True):
        norms = []
        gmres(matrix, b, rtol=0.9 * TOLERANCE, restart=30, callback=norms.append, callback_type="pr_norm")
        steps += len(norms)
    assert run(baseline.solve_family, small).metrics["products"] == pytest.approx(steps, abs=3)


def test_a_residual_above_the_bound_is_invalid(small):
    exact = np.array([np.linalg.solve(m.toarray(), b) for m, b in zip(small.secret, small.inputs["B"], strict=True)])
    assert judge(small, exact, CallLog()).valid
    assert not judge(small, exact, None).valid
    assert not judge(small, exact * (1 + 2 * TOLERANCE), CallLog()).valid
    assert not judge(small, exact[::-1], CallLog()).valid
    assert not judge(small, np.zeros_like(exact), CallLog()).valid


@pytest.mark.parametrize(
    "output", [None, 1.0, [], "X", np.zeros(3), np.zeros((3, 63)), np.full((3, 64), np.nan), np.full((3, 64), 1e200)]
)
def test_hostile_outputs_are_refused(small, output):
    with pytest.raises(Rejected):
        judge(small, output, CallLog())


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (0,),
        (0, None),
        (0, np.zeros(63)),
        (0, np.zeros((1, 64))),
        (0, np.full(64, np.inf)),
        (-1, np.zeros(64)),
        (3, np.zeros(64)),
        (0.5, np.zeros(64)),
        ("0", np.zeros(64)),
        (0, np.zeros(64), 0),
    ],
)
def test_malformed_products_are_refused_and_cost_one(small, arguments):
    products = Products(small)
    with pytest.raises(OracleRefused):
        Direct(products).apply(*arguments)
    assert products.log.spent == 1


def test_recycling_saves_products(default):
    def products(program):
        verdicts = [run(program.solve_family, instance) for instance in default]
        assert all(verdict.valid for verdict in verdicts)
        return sum(verdict.metrics["products"] for verdict in verdicts)

    assert products(reference) < 0.75 * products(baseline)
    assert products(reference) < 1.05 * products(known_long_restart)
