"""moe_expert_placement: step times against plain loops, the judge's rules, the packing, what placement is worth."""

import itertools

import numpy as np
import pytest

from speciate.evaluators import Rejected
from speciate.tasks.mixture_of_experts.moe_expert_placement import baseline, known_eplb, reference
from speciate.tasks.mixture_of_experts.moe_expert_placement.task import FUTURE, TOKENS, instances, judge
from speciate.tasks.mixture_of_experts.workloads import expert_flows, loads

PROGRAMS = [baseline, known_eplb, reference]


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def step_time(inputs, flows, placement):
    """Token by token of every flow, over all pairs of copies."""
    per_node, cost = inputs["devices_per_node"], inputs["cost"]
    layers, devices, _ = placement.shape
    where = [
        [[d for d in range(devices) if e in placement[k, d]] for e in range(flows.shape[2])] for k in range(layers)
    ]
    total = 0.0
    for window in flows:
        for k in range(layers):
            busy = np.zeros(devices)
            row = window[k].sum(axis=1) if k < layers - 1 else window[-1].sum(axis=0)
            for e, load in enumerate(row):
                busy[where[k][e]] += load / len(where[k][e])
            total += cost["compute"] * busy.max()
        for k in range(layers - 1):
            left = np.zeros(devices // per_node)
            for e, f in itertools.product(range(flows.shape[2]), repeat=2):
                pairs = list(itertools.product(where[k][e], where[k + 1][f]))
                for a, b in pairs:
                    if a // per_node != b // per_node:
                        left[a // per_node] += window[k, e, f] / len(pairs)
            total += cost["network"] * left.max()
    return total / (FUTURE * layers * TOKENS / devices)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_step_time_is_that_of_plain_loops(program, smoke):
    placement = np.asarray(program.place(**smoke.inputs))
    verdict = judge(smoke, placement, None)
    assert verdict.valid
    assert verdict.metrics["step_time"] == pytest.approx(step_time(smoke.inputs, smoke.secret, placement))


def test_flows_are_conserved_from_layer_to_layer_and_drift():
    flows = expert_flows(np.random.default_rng(1), 6, 4, 10, 100.0)
    assert flows.sum(axis=(2, 3)) == pytest.approx(np.full((6, 3), 100.0))
    assert flows[:, 1:].sum(axis=3) == pytest.approx(flows[:, :-1].sum(axis=2))
    total = loads(flows)
    assert total.shape == (6, 4, 10)
    assert total.sum(axis=2) == pytest.approx(np.full((6, 4), 100.0))
    assert not np.allclose(total[0], total[-1])


def twice(placement):
    placement[0, 0, :2] = 5


def unknown(placement):
    placement[0, 0, 0] = 16


def below(placement):
    placement[1, 0, 0] = -1


@pytest.mark.parametrize("change", [twice, unknown, below])
def test_placements_that_break_a_rule_are_refused(change, smoke):
    placement = np.array(reference.place(**smoke.inputs))
    change(placement)
    try:
        verdict = judge(smoke, placement, None)
    except Rejected:
        return
    assert not verdict.valid


def test_an_expert_without_a_device_is_invalid(smoke):
    """Every slot full, no expert twice on a device, but expert 15 is nowhere."""
    shape = np.asarray(baseline.place(**smoke.inputs)).shape
    placement = np.arange(np.prod(shape)).reshape(shape) % 15
    assert all(len(set(device)) == shape[2] for device in placement.reshape(-1, shape[2]))
    verdict = judge(smoke, placement, None)
    assert not verdict.valid
    assert "no device" in verdict.note


@pytest.mark.parametrize(
    "output",
    [None, 0, [], "p", np.zeros((2, 4)), np.zeros((2, 4, 7), int), np.zeros((2, 4, 6)), np.full((2, 4, 6), True)],
)
def test_hostile_outputs_are_refused(output, smoke):
    with pytest.raises(Rejected):
        judge(smoke, output, None)


@pytest.mark.parametrize("pack", [reference.within_node, None])
def test_packing_fills_every_slot_without_an_expert_twice(pack):
    rng = np.random.default_rng(0)
    for _ in range(200):
        devices, slots = int(rng.integers(1, 9)), int(rng.integers(2, 7))
        count = int(rng.integers(slots, devices * slots + 1))
        load = rng.gamma(0.3, 1.0, count)
        if pack:
            held = pack(np.arange(count), load, devices, slots)
        else:
            hist = load[None, None, :]
            held = known_eplb.place(hist, None, 1, devices, slots, {})[0]
        assert [len(set(np.asarray(each).tolist())) for each in held] == [slots] * devices
        assert set(np.concatenate(held).tolist()) == set(range(count))


def test_nodes_get_equally_many_experts_and_prefer_where_their_tokens_come_from():
    load = np.ones(8)
    mass = np.zeros((8, 2))
    mass[[1, 3, 5, 7], 1] = 1.0
    mass[[0, 2, 4, 6], 0] = 1.0
    assert reference.to_nodes(load, mass, 2).tolist() == [0, 1] * 4
    uneven = np.random.default_rng(0).gamma(0.5, 1.0, 12)
    assert np.bincount(reference.to_nodes(uneven, np.zeros((12, 3)), 3)).tolist() == [4, 4, 4]


def test_the_future_is_not_in_the_inputs():
    one, other = (instances(np.random.default_rng(2), "default") for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.inputs["hist"], b.inputs["hist"])
        assert np.array_equal(a.secret, b.secret)
        assert len(a.inputs["hist"]) == 30
        assert not any(np.allclose(loads(a.secret)[0], window) for window in a.inputs["hist"])


@pytest.mark.parametrize("size", ["smoke", "default"])
def test_replicas_and_packing_take_most_of_the_waiting_away(size):
    gone = []
    for instance in instances(np.random.default_rng(3), size):
        verdicts = [judge(instance, program.place(**instance.inputs), None) for program in PROGRAMS]
        plain, flat, nested = (verdict.metrics for verdict in verdicts)
        assert nested["step_time"] < plain["step_time"]
        assert nested["imbalance"] - 1 < 0.7 * (plain["imbalance"] - 1)
        gone.append([plain["step_time"], flat["step_time"], nested["step_time"], flat["leaving"], nested["leaving"]])
    plain, flat, nested, *leaving = np.exp(np.log(gone).mean(axis=0))
    assert nested < 0.7 * plain
    assert nested == pytest.approx(flat, rel=0.15)
    assert leaving[1] < leaving[0]
