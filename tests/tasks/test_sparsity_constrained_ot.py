"""sparsity_constrained_ot: plans against POT, the bound against plans, what is refused, and what the programs reach."""

import numpy as np
import pytest

from speciate.evaluators import Rejected
from speciate.tasks.optimal_transport.sparsity_constrained_ot import baseline, known_support_then_weights, reference
from speciate.tasks.optimal_transport.sparsity_constrained_ot.task import instances, judge, lower_bound, objective
from speciate.tasks.optimal_transport.workloads import tokens_and_experts

PROGRAMS = [baseline, reference, known_support_then_weights]


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def excess(program, instance):
    verdict = judge(instance, program.solve(**instance.inputs), None)
    assert verdict.valid, verdict.note
    return verdict.metrics["excess"]


def test_plans_are_those_of_pot():
    smooth = pytest.importorskip("ot").smooth
    C, a, b = tokens_and_experts(np.random.default_rng(0), "crowded", 8, 60)
    theirs = smooth.smooth_ot_semi_dual(a, b, C, 100.0, reg_type="sparsity_constrained", max_nz=2, numItermax=500)
    assert np.abs(reference.solve(C, a, b, 100.0, 2) - theirs).sum() < 0.02
    dense = smooth.smooth_ot_semi_dual(a, b, C, 100.0, reg_type="l2", numItermax=500)
    assert np.abs(baseline.solve(C, a, b, 100.0, 7) - baseline.cut(dense, b, 7)).sum() < 0.02


def test_no_valid_plan_lies_below_the_bound():
    rng = np.random.default_rng(1)
    C, a, b = tokens_and_experts(rng, "even", 4, 30)
    bound = lower_bound(C, a, b, 50.0, 2)
    nearest = np.argsort(C, axis=0)[:2]
    for share in np.linspace(0.5, 1, 6):
        T = np.zeros_like(C)
        np.put_along_axis(T, nearest, np.array([[share], [1 - share]]) * b, axis=0)
        assert objective(T, C, a, 50.0) >= bound
    for program in PROGRAMS:
        assert objective(program.solve(C, a, b, 50.0, 2), C, a, 50.0) >= bound
    assert bound > 0


def test_the_bound_is_the_optimum_where_the_problem_is_convex():
    C, a, b = tokens_and_experts(np.random.default_rng(2), "even", 5, 40)
    T = reference.solve(C, a, b, 50.0, 5)
    assert objective(T, C, a, 50.0) == pytest.approx(lower_bound(C, a, b, 50.0, 5), rel=1e-2)


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_are_valid_on_every_kind(program):
    for instance in instances(np.random.default_rng(3), "default"):
        excess(program, instance)


def test_problems_repeat_and_have_cost_one_at_most():
    one, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for mine, same in zip(one, again, strict=True):
        assert np.array_equal(mine.inputs["C"], same.inputs["C"])
        assert mine.secret == same.secret
        assert mine.inputs["C"].max() == 1
    assert one[0].secret != other[0].secret


def test_the_constraint_within_the_dual_beats_cutting():
    for seed in range(2):
        for instance in instances(np.random.default_rng(seed), "default"):
            assert excess(reference, instance) < 0.3 * excess(baseline, instance), instance.name


def test_a_vertex_of_the_linear_programme_pays_for_its_squares(smoke):
    emd = pytest.importorskip("ot").emd
    C, a, b, k = (smoke.inputs[name] for name in "Cabk")
    T = baseline.cut(emd(a, b, C), b, k)
    verdict = judge(smoke, T, None)
    assert verdict.valid
    assert verdict.metrics["excess"] > 2 * excess(reference, smoke)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda T: None,
        lambda T: T[:-1],
        lambda T: T.T,
        lambda T: 0 * T,
        lambda T: 2 * T,
        lambda T: T * np.nan,
        lambda T: T + 0j,
        lambda T: T.astype(bool),
        lambda T: T.astype(np.float32) * np.float32(1.001),
        lambda T: T + 1e-14,
        lambda T: np.where(T > 0, T + 1e-6, -1e-6),
        lambda T: [T.tolist(), T.tolist()],
        lambda T: "T",
    ],
)
def test_hostile_outputs_are_refused(spoil, smoke):
    try:
        verdict = judge(smoke, spoil(reference.solve(**smoke.inputs)), None)
    except Rejected:
        return
    assert not verdict.valid
