"""gnn_ga_network_design: route choice against networkx and a convex program, refusals, and the time saved."""

import numpy as np
import pytest
from scipy.optimize import minimize

from speciate.evaluators import OracleRefused, State, calibrate, load_task
from speciate.evaluators.redteam.generic import cheats_of
from speciate.evaluators.trial import judged
from speciate.sandbox import SandboxSpec, open_sandbox
from speciate.tasks.bilevel import traffic
from speciate.tasks.bilevel.gnn_ga_network_design import baseline, known_greedy_swaps, reference
from speciate.tasks.bilevel.gnn_ga_network_design.task import Equilibria, instances, task


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, equilibria):
        self.equilibria = equilibria

    def evaluate(self, *args):
        return self.equilibria.serve("evaluate", args, {})


def run(design, instance):
    equilibria = Equilibria(instance)
    return judged(task, instance, design(Direct(equilibria), **instance.inputs), equilibria.log)


def saved(program, seed):
    verdicts = [run(program.design, instance) for instance in instances(np.random.default_rng(seed), "default")]
    assert all(verdict.valid for verdict in verdicts)
    return np.array([verdict.metrics["saved"] for verdict in verdicts])


def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def two_roads(power=4.0):
    """Ten vehicles from 0 to 2: by 1, or by the candidate straight there."""
    return traffic.Roads(
        nodes=3,
        ends=np.array([[0, 1], [1, 2], [0, 2]]),
        free=np.array([1.0, 1.0, 1.5]),
        capacity=np.array([5.0, 5.0, 5.0]),
        power=np.full(3, power),
        trips=np.array([[0.0, 2.0, 10.0]]),
        costs=np.ones(1),
    )


def test_with_one_road_all_take_it_and_with_two_both_take_as_long():
    roads = two_roads()
    alone = 10 * 2 * (1 + 0.15 * 2**4)
    assert roads.total_time(np.zeros(1, int), 5) == pytest.approx(alone)
    flow, total = roads._equilibrium(np.arange(3), 2000)
    assert flow[0] == pytest.approx(flow[1])
    assert flow[0] + flow[2] == pytest.approx(10)
    times = roads.times(np.arange(3), flow)
    assert times[0] + times[1] == pytest.approx(times[2], rel=1e-2)
    assert total < alone


def test_the_equilibrium_is_the_minimiser_of_beckmanns_program():
    """The sum of the integrals of the links' times, over the split of the trips (Beckmann et al. 1956)."""
    roads = two_roads(power=3.0)

    def integral(split):
        flow = np.array([split[0], split[0], 10 - split[0]])
        return np.sum(roads.free * (flow + 0.15 * flow**4 / (4 * roads.capacity**3)))

    found = minimize(integral, [5.0], bounds=[(0, 10)], tol=1e-12).x[0]
    flow, _ = roads._equilibrium(np.arange(3), 2000)
    assert flow[0] == pytest.approx(found, abs=0.02)


def test_trips_take_networkx_fastest_routes():
    networkx = pytest.importorskip("networkx")
    roads = traffic.grid(np.random.default_rng(1), 4, 16, 24)
    links = np.arange(len(roads.ends))
    times = np.random.default_rng(2).uniform(1, 3, len(links))
    graph = networkx.DiGraph()
    graph.add_weighted_edges_from([(int(a), int(b), t) for (a, b), t in zip(roads.ends, times, strict=True)])
    shortest = sum(
        demand * networkx.shortest_path_length(graph, int(a), int(b), weight="weight") for a, b, demand in roads.trips
    )
    assert roads.loaded(links, times) @ times == pytest.approx(shortest)


def test_grids_have_streets_both_ways_distinct_links_and_busy_roads():
    roads = traffic.grid(np.random.default_rng(0), 4, 16, 24)
    assert len(roads.ends) == 48 + 16
    assert len(np.unique(roads.ends, axis=0)) == 64
    assert len(np.unique(roads.trips[:, :2], axis=0)) == 24
    flow, _ = roads._equilibrium(np.arange(48), 100)
    assert 0.7 < np.quantile(flow / roads.capacity[:48], 0.75) < 3


def test_more_steps_settle():
    instance = smoke()
    roads, x = instance.secret.roads, np.zeros(16, int)
    totals = [roads.total_time(x, steps) for steps in (20, 100, 800)]
    assert totals[1] == pytest.approx(totals[2], rel=0.02)
    assert totals[0] == pytest.approx(totals[2], rel=0.1)


def test_capacities_and_powers_stay_secret_and_instances_are_deterministic():
    first, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert a.secret.nothing == b.secret.nothing != c.secret.nothing
        assert np.array_equal(a.inputs["od"], b.inputs["od"])
        shown = np.concatenate([np.ravel(value) for value in a.inputs.values()])
        assert not np.isin(a.secret.roads.capacity, shown).any()
        assert not np.isin(a.secret.roads.power, shown).any()


def test_every_call_counts_also_of_the_same_design():
    equilibria = Equilibria(smoke())
    oracle, x = Direct(equilibria), np.zeros(16, int)
    assert oracle.evaluate(x) == oracle.evaluate(x)
    for _ in range(48):
        oracle.evaluate(x)
    with pytest.raises(OracleRefused, match="budget"):
        oracle.evaluate(x)


@pytest.mark.parametrize(
    "x",
    [None, "x", 0, [], np.zeros(15, int), np.zeros((1, 16), int), np.zeros(16), np.full(16, 2), np.full(16, -1),
     np.ones(16, int), np.zeros(16, bool)],
)  # fmt: skip
def test_other_designs_are_refused_but_use_up_a_call_and_are_no_answers(x):
    instance = smoke()
    equilibria = Equilibria(instance)
    with pytest.raises(OracleRefused):
        Direct(equilibria).evaluate(x)
    assert equilibria.log.spent == 1
    assert not judged(task, instance, x, None).valid


def test_nothing_saves_nothing_and_more_money_more():
    instance = smoke()
    assert judged(task, instance, np.zeros(16, int), None).metrics["saved"] == pytest.approx(0)
    rich = type(instance)("rich", {**instance.inputs, "budget": 1e9}, instance.secret)
    assert judged(task, rich, np.ones(16, int), None).metrics["saved"] == pytest.approx(1)


def test_the_references_surrogate_is_exact_on_pairwise_functions():
    rng = np.random.default_rng(0)
    designs = rng.integers(0, 2, (400, 6))
    truth = rng.standard_normal(1 + 6 + 15)
    values = reference.features(designs) @ truth
    weights = reference.fitted(reference.features(designs), values, 6)
    assert reference.features(designs) @ weights == pytest.approx(values, abs=0.3)
    kept = reference.repaired(np.ones((50, 6), int), np.ones(6), 2.5, rng)
    assert (kept.sum(axis=1) == 2).all()


def test_the_surrogate_wins_over_the_plain_genetic_algorithm():
    plain, paper, greedy = (
        np.concatenate([saved(program, seed) for seed in (5, 6)])
        for program in (baseline, reference, known_greedy_swaps)
    )
    gains = paper - plain
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert greedy.mean() > plain.mean()


def test_generic_cheats_get_nothing():
    folder = load_task("gnn_ga_network_design")
    with open_sandbox(SandboxSpec(imports=task.limits.imports)) as sandbox:
        calibration = calibrate(folder, sandbox, b"cheats", "smoke")
        findings = list(cheats_of(folder, sandbox, b"cheats", calibration, "smoke"))
    assert len(findings) > 10
    assert all(finding.held and finding.got != State.INFRA for finding in findings)
