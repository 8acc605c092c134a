"""heatmap_mcts_tsp: tours and bounds by brute force, what the oracle charges and refuses, what heat and settings do."""

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree

from speciate.evaluators import OracleRefused, Rejected
from speciate.tasks.combinatorial.heatmap_mcts_tsp import baseline, known_softdist_tuned, reference
from speciate.tasks.combinatorial.heatmap_mcts_tsp.task import LAYOUTS, Explorer, instances, judge
from speciate.tasks.combinatorial.tour_search import Settings, TourSearch
from speciate.tasks.combinatorial.workloads import (
    cities,
    distance_matrix,
    held_karp_bound,
    one_tree,
    tour_length,
    two_opt_tour,
)

PROGRAMS = [baseline, known_softdist_tuned, reference]
GENTLE = Settings(candidates=7, alpha=0.1, beta=10.0, depth=5, patience=10)


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer

    def explore(self, *args: Any, **kwargs: Any) -> Any:
        return self.explorer.serve("explore", args, kwargs)


def run(program, instance):
    explorer = Explorer(instance)
    program.search(Direct(explorer), **instance.inputs)
    return judge(instance, None, explorer.log)


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(1), "smoke")[0]


def shortest(distances):
    rest = itertools.permutations(range(1, len(distances)))
    return min(tour_length(distances, np.array([0, *order])) for order in rest)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_bound_lies_just_below_the_shortest_of_all_tours_and_the_search_finds_it(layout):
    for seed in range(3):
        distances = distance_matrix(cities(np.random.default_rng(seed), layout, 8))
        tour, optimum = two_opt_tour(distances), shortest(distances)
        bound = held_karp_bound(distances, tour_length(distances, tour))
        assert 0.95 * optimum < bound <= optimum * (1 + 1e-9)
        search = TourSearch(distances, tour, np.random.default_rng(0))
        search.run(np.full((8, 8), 0.5), GENTLE, 3000)
        assert search.length == pytest.approx(optimum)


def test_a_one_tree_is_a_least_spanning_tree_and_two_links_of_the_first_point():
    for seed in range(5):
        weights = distance_matrix(np.random.default_rng(seed).random((12, 2)))
        total, degree = one_tree(weights)
        tree = minimum_spanning_tree(weights[1:, 1:]).sum()
        assert total == pytest.approx(tree + np.sort(weights[0, 1:])[:2].sum())
        assert degree.sum() == 2 * 12
        assert degree[0] == 2


def test_no_reversal_shortens_a_given_tour(smoke):
    distances, tour = distance_matrix(smoke.inputs["xy"]), smoke.inputs["tour"]
    given = tour_length(distances, tour)
    for i, j in itertools.combinations(range(1, len(tour)), 2):
        turned = np.concatenate([tour[:i], tour[i : j + 1][::-1], tour[j + 1 :]])
        assert tour_length(distances, turned) >= given - 1e-9


def test_lengths_are_those_of_the_tours_and_never_grow(smoke):
    distances, n = distance_matrix(smoke.inputs["xy"]), len(smoke.inputs["xy"])
    oracle = Direct(Explorer(smoke))
    heat, before = np.random.default_rng(0).random((n, n)), np.inf
    for depth, patience in ((1, 1), (4, 3), (n, 50), (10**6, 10**6)):
        length, best, heat = oracle.explore(heat, 500, 6, 0.1, 10.0, depth, patience)
        assert sorted(best) == list(range(n))
        assert length == pytest.approx(tour_length(distances, best))
        assert length <= before
        assert heat.min() >= 0
        assert heat.max() <= 1
        before = length


def test_successes_heat_their_links_and_without_beta_nothing_changes(smoke):
    n = len(smoke.inputs["xy"])
    heat = np.where(np.eye(n, dtype=bool), 0.0, 0.01)
    same = Direct(Explorer(smoke)).explore(heat, 2000, 8, 0.1, 0.0, 8, n)[2]
    assert same == pytest.approx(heat)
    hot = Direct(Explorer(smoke)).explore(heat, 4000, 8, 0.1, 1000.0, 8, n)[2]
    assert (hot - heat).min() >= -1e-12
    assert hot.max() > 0.02
    assert hot == pytest.approx(hot.T)


def test_only_the_hottest_links_are_added_whatever_the_diagonal_says(smoke):
    """With the trip's own links as the only candidates nothing can be gained."""
    tour, n = smoke.inputs["tour"], len(smoke.inputs["xy"])
    heat = np.eye(n)
    heat[tour, np.roll(tour, -1)] = heat[np.roll(tour, -1), tour] = 0.5
    explorer = Explorer(smoke)
    length, best, _ = Direct(explorer).explore(heat, 2000, 2, 1.0, 10.0, 10, 20)
    distances = distance_matrix(smoke.inputs["xy"])
    assert length == pytest.approx(tour_length(distances, tour))
    assert set(map(frozenset, zip(best, np.roll(best, -1), strict=True))) == set(
        map(frozenset, zip(tour, np.roll(tour, -1), strict=True))
    )


def test_cold_heatmaps_without_exploration_find_nothing_and_end(smoke):
    n = len(smoke.inputs["xy"])
    explorer = Explorer(smoke)
    Direct(explorer).explore(np.zeros((n, n)), smoke.inputs["steps"], n, 0, 0, 5, 10**6)
    assert judge(smoke, None, explorer.log).metrics["improvement"] == pytest.approx(0.0)


def test_steps_are_charged_and_end(smoke):
    n, explorer = len(smoke.inputs["xy"]), Explorer(smoke)
    oracle, heat = Direct(explorer), np.ones((n, n))
    oracle.explore(heat, smoke.inputs["steps"] - n, 5, 0.1, 1.0, 5, 5)
    with pytest.raises(OracleRefused):
        oracle.explore(heat, n + 1, 5, 0.1, 1.0, 5, 5)
    oracle.explore(heat, n, 5, 0.1, 1.0, 5, 5)
    with pytest.raises(OracleRefused):
        oracle.explore(heat, n, 5, 0.1, 1.0, 5, 5)
    assert explorer.log.spent == smoke.inputs["steps"]


@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("value", [None, "5", -1, float("nan"), float("inf"), True, 1e300, [], {}, np.ones(3)])
def test_malformed_calls_are_refused(place, value, smoke):
    n, explorer = len(smoke.inputs["xy"]), Explorer(smoke)
    call: list[Any] = [np.ones((n, n)), n, 5, 0.1, 1.0, 5, 5]
    call[place] = value
    with pytest.raises(OracleRefused):
        Direct(explorer).explore(*call)
    assert not explorer.log.calls


def test_short_calls_and_other_shapes_are_refused(smoke):
    n, oracle = len(smoke.inputs["xy"]), Direct(Explorer(smoke))
    good = (np.ones((n, n)), n, 5, 0.1, 1.0, 5, 5)
    for call in ((), good[:-1], (*good, 1), (good[0], n - 1, *good[2:]), (np.ones((n, n - 1)), *good[1:])):
        with pytest.raises(OracleRefused):
            oracle.explore(*call)
    with pytest.raises(OracleRefused):
        oracle.explore(*good[:-1], patience=5)
    for heat in (2 * good[0], -good[0], good[0] * 1j, np.full((n, n), np.nan)):
        with pytest.raises((OracleRefused, Rejected)):
            oracle.explore(heat, *good[1:])


@pytest.mark.parametrize("output", [None, 0.0, list(range(80)), "short"])
def test_what_is_returned_counts_for_nothing(output, smoke):
    assert not judge(smoke, output, Explorer(smoke).log).valid
    assert not judge(smoke, output, None).valid


def test_draws_and_programs_repeat():
    one, other = (instances(np.random.default_rng(3), "smoke") for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.inputs["xy"], b.inputs["xy"])
        assert a.secret == b.secret
    assert run(reference, one[0]) == run(reference, other[0])


def test_a_prior_by_ranks_with_tuned_settings_beats_the_default_and_is_level_with_tuned_distances():
    drawn = instances(np.random.default_rng(0), "default")[:6]
    gaps = np.array([[run(program, instance).metrics["gap"] for program in PROGRAMS] for instance in drawn])
    assert gaps.min() > 0
    plain, distances, ranks = np.exp(np.log(gaps + 1e-3).mean(axis=0))
    assert ranks < 0.8 * plain
    assert distances < 0.8 * plain
    assert 0.6 < ranks / distances < 1.7
