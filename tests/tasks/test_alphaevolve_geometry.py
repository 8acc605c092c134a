"""alphaevolve_geometry: exact feasibility, the traps, and what the programs reach."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from speciate.evaluators import Instance
from speciate.evaluators.trial import judged
from speciate.tasks.discovery import workloads
from speciate.tasks.discovery.alphaevolve_geometry import baseline, known_restart, reference
from speciate.tasks.discovery.alphaevolve_geometry.task import instances, task

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def instance(**problem):
    return Instance("one", {"problem": problem, "cpu_seconds": 0.1, "seed": 0})


PACK = instance(kind="packing", n=2, width=2.0, height=1.0)
HEIL = instance(kind="heilbronn", n=7, vertices=SQUARE)
KISS = instance(kind="kissing", dimension=8)
TWO_CIRCLES = np.array([[0.5, 0.5, 0.5], [1.5, 0.5, 0.5]])


def judge(of, output, log):
    return judged(task, of, output, log)


def quality(of, output):
    verdict = judge(of, output, None)
    assert verdict.valid, verdict.note
    return verdict.metrics["quality"]


def test_instances_are_deterministic_differ_between_seeds_and_vary_all_kinds():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    assert repr(first) == repr(again) != repr(other)
    kinds = [i.inputs["problem"]["kind"] for i in first]
    assert kinds.count("kissing") == 1
    assert set(kinds) == {"packing", "heilbronn", "kissing"}


def test_random_polygons_are_convex_and_counter_clockwise():
    rng = np.random.default_rng(0)
    for corners in (3, 4, 5) * 20:
        v = workloads.heilbronn(rng, 7, corners)["vertices"]
        u, w = v - np.roll(v, 1, axis=0), np.roll(v, -1, axis=0) - v
        assert np.all(u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0] > 0)


@pytest.mark.parametrize("size", ["smoke", "default"])
def test_all_programs_are_feasible_and_the_reference_wins(size):
    programs = (baseline, known_restart, reference)
    table = np.array(
        [
            [quality(one, program.construct(**one.inputs)) for program in programs]
            for one in instances(np.random.default_rng(11), size)
        ]
    )
    assert np.all(table[:, 0] < table[:, 2])
    plain, restarts, best = table.mean(axis=0)
    assert plain + 0.1 < restarts < best - 0.1
    assert plain + 0.3 < best


def test_known_optima_are_reached():
    found = quality(HEIL, reference.construct(**{**HEIL.inputs, "cpu_seconds": 0.6}))
    assert found == pytest.approx(1.0, abs=0.002)
    assert len(reference.construct(**KISS.inputs)) == 240
    assert quality(PACK, TWO_CIRCLES) == pytest.approx(1 / np.sqrt(4 / np.sqrt(12)))


def test_baseline_radii_solve_the_linear_program():
    rng = np.random.default_rng(0)
    centres = rng.random((9, 2))
    pairs = list(itertools.combinations(range(9), 2))
    rows = np.array([[k in pair for k in range(9)] for pair in pairs], dtype=float)
    gaps = [np.linalg.norm(centres[a] - centres[b]) for a, b in pairs]
    walls = np.minimum(centres, 1 - centres).min(axis=1)
    best = linprog(-np.ones(9), A_ub=rows, b_ub=gaps, bounds=[(0, w) for w in walls], method="highs-ds")
    assert baseline.best_radii(centres, 1.0, 1.0).sum() == pytest.approx(-best.fun, abs=1e-6)


def test_tiny_overlaps_are_shrunk_without_gain_and_larger_ones_refused():
    grown = TWO_CIRCLES + np.array([0, 0, 4e-10])
    assert quality(PACK, grown) <= quality(PACK, TWO_CIRCLES)
    assert not judge(PACK, TWO_CIRCLES + np.array([0, 0, 1e-8]), None).valid
    assert not judge(PACK, TWO_CIRCLES - np.array([1e-8, 0, 0]), None).valid


@pytest.mark.parametrize("radius", [np.nan, np.inf, -0.1, 1e9])
def test_bad_radii_are_invalid(radius):
    circles = TWO_CIRCLES.copy()
    circles[0, 2] = radius
    assert not judge(PACK, circles, None).valid


def test_duplicate_or_collinear_points_are_worth_nothing():
    line = np.column_stack([np.linspace(0, 1, 7), np.full(7, 0.5)])
    assert quality(HEIL, line) == 0
    assert quality(HEIL, np.tile([0.5, 0.5], (7, 1))) == 0


def test_a_point_outside_by_one_ulp_is_invalid():
    points = np.random.default_rng(0).random((7, 2))
    points[0] = [1.0, 0.5]
    assert judge(HEIL, points, None).valid
    points[0, 0] = np.nextafter(1.0, 2.0)
    assert not judge(HEIL, points, None).valid


def test_kissing_refuses_zero_duplicate_close_and_wrong_vectors():
    roots = baseline.touching_spheres(8)
    assert judge(KISS, roots, None).valid
    zero = np.zeros((1, 8), dtype=np.int64)
    for extra in (zero, roots[:1], roots[:1] * 3, roots[:1] + roots[1:2]):
        assert not judge(KISS, np.concatenate([roots, extra]), None).valid
    assert not judge(KISS, roots.astype(np.float64), None).valid
    assert not judge(KISS, roots[:, :7], None).valid
    assert not judge(KISS, roots * 10**7, None).valid


@pytest.mark.parametrize(
    "output", [None, 1.0, [], {}, "x", np.zeros(3), np.zeros((0, 3)), np.zeros((2, 2)), [[0, 0, 0]]]
)
def test_hostile_outputs_are_invalid(output):
    for one in (PACK, HEIL, KISS):
        assert not judge(one, output, None).valid
