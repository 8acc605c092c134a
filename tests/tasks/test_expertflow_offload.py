"""expertflow_offload: the simulator on plans worked out by hand, the predictor, the judge's rules and the makespans."""

import numpy as np
import pytest

from speciate.evaluators import Rejected
from speciate.tasks.mixture_of_experts.expertflow_offload import baseline, known_sorted_embeddings, reference
from speciate.tasks.mixture_of_experts.expertflow_offload.simulator import all_resident, serve
from speciate.tasks.mixture_of_experts.expertflow_offload.task import instances, judge
from speciate.tasks.mixture_of_experts.workloads import routed_tokens

HW = {"t_load": 1.0, "t_expert": 0.5, "t_token": 0.01}


def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def metrics(program, instance):
    verdict = judge(instance, program.plan(**instance.inputs), None)
    assert verdict.valid
    return verdict.metrics


def test_a_plan_worked_out_by_hand():
    """Two batches of two tokens, three layers, room for one expert a layer."""
    routes = np.array([[0, 1, 2], [0, 1, 2], [0, 0, 0], [0, 0, 0]])
    batches = np.arange(4).reshape(2, 2)
    none = np.full((2, 3, 1), -1)
    step = 0.5 + 0.02
    on_demand = serve(batches, none, routes, HW)
    # Layer 0 keeps its expert for the second batch; all else is loaded when it is needed.
    assert on_demand.makespan == pytest.approx(6 * step + 5)
    assert (on_demand.activated, on_demand.missed, on_demand.loads) == (6, 5, 5)
    wishes = np.array([[[0], [1], [2]], [[0], [0], [0]]])
    fetched = serve(batches, wishes, routes, HW)
    # Loads end at 1, 2, 3 and, the wish of the second batch's layer 1 being made when the last layer begins, 4 and 5.
    assert (fetched.missed, fetched.loads) == (0, 5)
    assert fetched.makespan == pytest.approx(5 + step)


def test_wishes_wait_for_the_layer_two_places_ahead():
    routes = np.zeros((2, 4), dtype=int)
    wishes = np.full((1, 4, 1), -1)
    wishes[0, 3, 0] = 0
    served = serve(np.arange(2).reshape(1, 2), wishes, routes, {**HW, "t_load": 0.1})
    # The last layer's expert may be asked for when layer 1 begins, and is there long before layer 3 begins.
    assert served.missed == 3
    assert served.makespan == pytest.approx(3 * 0.1 + 4 * 0.52)


def test_with_room_for_all_only_the_first_use_is_loaded():
    routes = routed_tokens(np.random.default_rng(0), 64, 3, 8)[1]
    batches = np.arange(64).reshape(8, 8)
    served = serve(batches, np.full((8, 3, 8), -1), routes, HW)
    assert served.missed == sum(len(np.unique(column)) for column in routes.T)
    free = serve(batches, np.full((8, 3, 8), -1), routes, {**HW, "t_load": 0.0})
    assert free.makespan == pytest.approx(all_resident(batches, routes, HW))


def test_more_experts_than_room_are_streamed_through():
    routes = np.arange(6)[:, None].repeat(3, axis=1)
    served = serve(np.arange(6).reshape(1, 6), np.full((1, 3, 2), -1), routes, HW)
    assert served.missed == served.activated == 18
    assert served.makespan == pytest.approx(18 * 1.0 + 18 * 0.5 + 3 * 6 * 0.01)


def test_wishing_for_everything_is_paid_on_the_link():
    instance = smoke()
    plan = baseline.plan(**instance.inputs)
    quiet = judge(instance, plan, None).metrics
    rng = np.random.default_rng(0)
    plan["prefetch"] = rng.permuted(np.tile(np.arange(8), (*plan["prefetch"].shape[:2], 1)), axis=2)[:, :, :2]
    noisy = judge(instance, plan, None).metrics
    assert noisy["loads"] > quiet["loads"]
    assert noisy["slowdown"] > quiet["slowdown"]


def test_the_predictor_is_as_good_as_scikit_learns():
    linear_model = pytest.importorskip("sklearn.linear_model")
    instance = instances(np.random.default_rng(1), "default")[0]
    x, routes, test_x = (instance.inputs[name] for name in ("train_x", "train_route", "test_x"))
    ours = reference.predict(x, routes, test_x, 16)
    assert ours.sum(axis=2) == pytest.approx(np.ones((512, 6)))
    right, theirs = (ours.argmax(axis=2) == instance.secret).mean(), []
    for layer in range(6):
        model = linear_model.LogisticRegression(max_iter=200).fit(x, routes[:, layer])
        theirs.append((model.predict(test_x) == instance.secret[:, layer]).mean())
    assert right > np.mean(theirs) - 0.03
    assert right > 0.5


def test_clusters_are_balanced_and_hold_every_token_once():
    points = np.random.default_rng(0).random((96, 5))
    batches = reference.balanced_clusters(points, 16)
    assert batches.shape == (6, 16)
    assert sorted(batches.ravel()) == list(range(96))
    assert sorted(reference.chain(np.random.default_rng(0).random((7, 4)))) == list(range(7))


def dropped(plan):
    plan["batches"][0, 0] = plan["batches"][0, 1]


def short(plan):
    plan["batches"] = plan["batches"][:-1]


def unknown_token(plan):
    plan["batches"][0, 0] = 128


def wide(plan):
    plan["prefetch"] = np.full((*plan["prefetch"].shape[:2], 3), -1)


def unknown_expert(plan):
    plan["prefetch"][0, 0, 0] = 8


def below(plan):
    plan["prefetch"][0, 0, 0] = -2


def twice(plan):
    plan["prefetch"][0, 0] = 1


def real_numbers(plan):
    plan["prefetch"] = plan["prefetch"].astype(float)


def another_key(plan):
    plan["routes"] = 0


@pytest.mark.parametrize(
    "change", [dropped, short, unknown_token, wide, unknown_expert, below, twice, real_numbers, another_key]
)
def test_plans_that_break_a_rule_are_refused(change):
    instance = smoke()
    plan = baseline.plan(**instance.inputs)
    assert judge(instance, plan, None).valid
    change(plan)
    try:
        verdict = judge(instance, plan, None)
    except Rejected:
        return
    assert not verdict.valid


@pytest.mark.parametrize("output", [None, 0, [], {}, {"batches": None, "prefetch": None}, {"batches": [], "x": 1}])
def test_hostile_outputs_are_refused(output):
    try:
        verdict = judge(smoke(), output, None)
    except Rejected:
        return
    assert not verdict.valid


def test_instances_repeat_and_hide_the_routes():
    one, other = (instances(np.random.default_rng(3), "default") for _ in range(2))
    for instance, again in zip(one, other, strict=True):
        assert np.array_equal(instance.inputs["test_x"], again.inputs["test_x"])
        assert np.array_equal(instance.secret, again.secret)
        assert not np.array_equal(instance.inputs["train_route"], instance.secret)


@pytest.mark.parametrize("size", ["smoke", "default"])
def test_predicted_paths_save_activations_and_loads(size):
    times = []
    for instance in instances(np.random.default_rng(4), size):
        arrival, embedded, predicted = (metrics(p, instance) for p in (baseline, known_sorted_embeddings, reference))
        assert predicted["activated"] < arrival["activated"]
        assert predicted["hit_ratio"] > max(arrival["hit_ratio"], embedded["hit_ratio"])
        times.append([arrival["slowdown"], embedded["slowdown"], predicted["slowdown"]])
    logs = np.log(times).mean(axis=0)
    assert logs[2] < logs[1] < logs[0]
    assert logs[2] < logs[0] - 0.25
