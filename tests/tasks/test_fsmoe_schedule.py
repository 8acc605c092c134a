"""fsmoe_schedule: the simulator against a fixed point, the rules of the judge, and the times of the programs."""

import numpy as np
import pytest

from speciate.evaluators import Rejected, Size
from speciate.tasks.mixture_of_experts.fsmoe_schedule import baseline, known_lina, reference
from speciate.tasks.mixture_of_experts.fsmoe_schedule.simulator import BEFORE, COST_OF, Pass, lower_bound_ms
from speciate.tasks.mixture_of_experts.fsmoe_schedule.task import instances, judge

COSTS = {"a2a": (0.2, 1.0), "ag": (0.1, 0.5), "rs": (0.1, 0.5), "exp": (0.05, 2.0), "gar": (0.3, 0.1)}
WORK = {"a2a": 2.0, "ag": 3.0, "rs": 1.0, "exp": 1.5}


def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def slowdown(program, instance):
    verdict = judge(instance, program.schedule(**instance.inputs), None)
    assert verdict.valid
    return verdict.metrics["slowdown"]


def random_plan(rng):
    """Any order in which each chunk's operations come in turn is free of deadlocks."""
    r = int(rng.integers(1, 9))
    left = {i: list(COST_OF) for i in range(r)}
    queues = {"inter": [], "intra": [], "comp": []}
    while left:
        chunk = int(rng.choice(list(left)))
        op = left[chunk].pop(0)
        stream = "comp" if op == "E" else "inter" if op in ("D", "C") else rng.choice(["inter", "intra"])
        queues[stream].append((op, chunk))
        if not left[chunk]:
            del left[chunk]
    if rng.random() < 0.5:
        queues["inter"].insert(int(rng.integers(len(queues["inter"]) + 1)), ("G", 4.0))
    return {"chunks": rng.dirichlet(np.ones(r)), **queues}


def fixed_point(plan, rounds):
    """End times that satisfy every stream's order and every chunk's, found by relaxation."""

    def duration(op):
        if op[0] == "G":
            return 0.3 + 0.1 * op[1]
        alpha, beta = COSTS[COST_OF[op[0]]]
        return (rounds if op[0] == "E" else 1) * (alpha + beta * WORK[COST_OF[op[0]]] * plan["chunks"][op[1]])

    ends = {op: 0.0 for stream in ("inter", "intra", "comp") for op in plan[stream]}
    for _ in range(len(ends) + 1):
        for stream in ("inter", "intra", "comp"):
            for before, op in zip([None, *plan[stream]], plan[stream], strict=False):
                waits = ends.get((BEFORE.get(op[0]), op[1]), 0.0) if op[0] != "G" else 0.0
                ends[op] = max(ends.get(before, 0.0), waits) + duration(op)
    return max(ends.values())


def test_the_simulator_finds_the_least_fixed_point_of_the_orders():
    rng = np.random.default_rng(0)
    for _ in range(40):
        plan = random_plan(rng)
        for backward in (False, True):
            expected = fixed_point(plan, 2 if backward else 1)
            passed = Pass(plan, pieces_allowed=True, name="a pass")
            assert passed.milliseconds(WORK, COSTS, backward) == pytest.approx(expected)


def test_no_schedule_is_below_the_bound():
    rng = np.random.default_rng(1)
    for instance in instances(rng, "smoke"):
        for program in (baseline, known_lina, reference):
            assert slowdown(program, instance) > 1
        count = len(instance.inputs["layers"]["grad"])
        plans = [{**random_plan(rng)} for _ in range(2 * count)]
        for plan in plans:
            plan["inter"] = [op for op in plan["inter"] if op[0] != "G"]
        anything = {"fwd": plans[:count], "bwd": plans[count:], "grad_dense": np.zeros(count)}
        assert judge(instance, anything, None).metrics["slowdown"] > 1


def test_the_references_formula_is_the_simulated_time_of_its_own_plan():
    """Where a link or the experts are the bottleneck; in between, the formula is a bound (the paper's four cases)."""
    rng = np.random.default_rng(2)
    gaps = []
    for instance in instances(rng, "default"):
        layers, costs = instance.inputs["layers"], instance.secret
        for i in range(len(layers["grad"])):
            t = reference.times(costs, layers, i, 2)
            work = {op: layers[op][i] for op in WORK}
            for place, r in enumerate(reference.DEGREES):
                for megabytes in (0.0, 0.5 * layers["grad"][i]):
                    plan = Pass(reference.plan(int(r), megabytes), pieces_allowed=True, name="a pass")
                    slice_ms = float(reference.gradient_ms(megabytes, costs["gar"]))
                    told = reference.layer_ms(t, slice_ms)[place]
                    gaps.append(plan.milliseconds(work, costs, True) / told)
    assert min(gaps) > 1 - 1e-9
    assert np.mean(np.array(gaps) < 1 + 1e-9) > 0.3
    assert np.median(gaps) < 1.05


def changed(instance, change):
    output = reference.schedule(**instance.inputs)
    change(output)
    return judge(instance, output, None)


def sends_too_early(output):
    output["bwd"][-1]["inter"].insert(0, ("G", 1e-3))


def lists_twice(output):
    output["fwd"][0]["comp"] *= 2


def leaves_out(output):
    output["fwd"][0]["intra"].pop()


def negative_chunk(output):
    output["fwd"][0] = {**reference.plan(2, 0.0), "chunks": np.array([1.5, -0.5])}


def too_small_chunks(output):
    output["bwd"][0]["chunks"] = output["bwd"][0]["chunks"] * 0.999


def too_many_chunks(output):
    output["fwd"][0] = reference.plan(9, 0.0)


def sends_forward(output):
    output["fwd"][0]["inter"].append(("G", 0.1))


def negative_piece(output):
    output["bwd"][0]["inter"].append(("G", -1.0))


def many_pieces(output):
    output["bwd"][0]["inter"] += [("G", 1e-6)] * 17


def deadlock(output):
    output["fwd"][0]["inter"].reverse()


def experts_on_a_link(output):
    output["fwd"][0]["inter"].append(output["fwd"][0]["comp"].pop())


def everything_beside_one_layer(output):
    output["grad_dense"][:] = 0.0
    output["grad_dense"][0] = 1e9


@pytest.mark.parametrize(
    "change",
    [
        sends_too_early,
        lists_twice,
        leaves_out,
        negative_chunk,
        too_small_chunks,
        too_many_chunks,
        sends_forward,
        negative_piece,
        many_pieces,
        deadlock,
        experts_on_a_link,
        everything_beside_one_layer,
    ],
)
def test_schedules_that_break_a_rule_are_refused(change):
    with pytest.raises(Rejected):
        changed(smoke(), change)


def test_pieces_cost_their_start_up_and_unsent_bytes_are_sent_at_the_end():
    instance = smoke()
    whole = changed(instance, lambda output: None).metrics

    def nothing_on_the_way(output):
        for plan in output["bwd"]:
            plan["inter"] = [(op, x) for op, x in plan["inter"] if op != "G"]
        output["grad_dense"][:] = 0.0

    unsent = changed(instance, nothing_on_the_way).metrics
    assert unsent["hidden_gradients"] == pytest.approx(0)
    assert unsent["slowdown"] > whole["slowdown"]

    plan = reference.plan(2, 200.0)
    halves = {**plan, "inter": [*plan["inter"][:2], ("G", 100.0), ("G", 100.0), *plan["inter"][3:]]}
    one, two = (Pass(p, pieces_allowed=True, name="a pass").milliseconds(WORK, COSTS, True) for p in (plan, halves))
    assert two == pytest.approx(one + COSTS["gar"][0])


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        {},
        {"fwd": [], "bwd": [], "grad_dense": []},
        {"fwd": None, "bwd": None, "grad_dense": None},
        {"fwd": [{}] * 4, "bwd": [{}] * 4, "grad_dense": [0.0] * 4},
        {"fwd": [{"chunks": [1.0], "inter": [np.zeros(2)], "intra": [], "comp": []}] * 4, "bwd": [], "grad_dense": []},
        {
            "fwd": [{"chunks": [1.0], "inter": [(np.zeros(2), 0)], "intra": 0, "comp": 0}] * 4,
            "bwd": [],
            "grad_dense": 0,
        },
        {"fwd": [{"chunks": [np.nan], "inter": [], "intra": [], "comp": []}] * 4, "bwd": [], "grad_dense": [0.0] * 4},
    ],
)
def test_hostile_outputs_are_refused(output):
    try:
        verdict = judge(smoke(), output, None)
    except Rejected:
        return
    assert not verdict.valid


def test_profiles_are_noisy_readings_of_the_hidden_constants():
    one, other = (instances(np.random.default_rng(3), "default") for _ in range(2))
    for instance, again in zip(one, other, strict=True):
        for op, rows in instance.inputs["profile"].items():
            alpha, beta = instance.secret[op]
            assert np.array_equal(rows, again.inputs["profile"][op])
            assert 0.01 < np.std(np.log(rows[:, 1] / (alpha + beta * rows[:, 0]))) < 0.06
        assert lower_bound_ms(instance.inputs["layers"], instance.secret) > 0


def test_two_links_and_cut_gradients_are_faster_than_one_link():
    factors: dict[Size, float] = {"smoke": 0.95, "default": 0.88}
    for size, factor in factors.items():
        times = np.log(
            [
                [slowdown(program, instance) for program in (baseline, known_lina, reference)]
                for instance in instances(np.random.default_rng(5), size)
            ]
        ).mean(0)
        assert times[2] < times[0] + np.log(factor)
        assert times[2] < times[1] < times[0]
