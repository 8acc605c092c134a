"""directional_attack_dsm: gradients against differences, what attacks may do and cost, the judge, and the regrets."""

import numpy as np
import pytest

from speciate.evaluators import OracleRefused, Rejected
from speciate.tasks.zeroth_order import workloads
from speciate.tasks.zeroth_order.directional_attack_dsm import baseline, known_attacks_alone, reference
from speciate.tasks.zeroth_order.directional_attack_dsm.task import Service, excess, instances, judge, task, value


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, service):
        self.service = service

    def output(self, *args, **kwargs):
        return self.service.serve("output", args, kwargs)

    def attack(self, *args, **kwargs):
        return self.service.serve("attack", args, kwargs)


def run(maximise, instance):
    service = Service(instance)
    return judge(instance, maximise(Direct(service), **instance.inputs), service.log), service.log.spent


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")


@pytest.fixture(scope="module")
def default():
    return instances(np.random.default_rng(2), "default")


@pytest.mark.parametrize("smooth", [True, False])
def test_gradients_are_those_of_differences(smooth):
    rng = np.random.default_rng(0)
    net = workloads.network(rng, (5, 9, 7, 3), smooth)
    x, u = rng.standard_normal((4, 5)), rng.standard_normal((4, 3))
    told = net.gradient(x, u)
    for j in range(5):
        step = 1e-6 * np.eye(5)[j]
        slope = ((net.output(x + step) - net.output(x - step)) * u).sum(axis=1) / 2e-6
        assert told[:, j] == pytest.approx(slope, rel=1e-4, abs=1e-5)


def test_fitting_lowers_the_error():
    rng = np.random.default_rng(0)
    net, x = workloads.network(rng, (4, 16, 2), True), rng.uniform(-1, 1, (200, 4))
    y = np.sin(x[:, :2])
    errors = [np.mean((n.output(x) - y) ** 2) for n in (net, workloads.fitted(net, x, y, 100))]
    assert errors[1] < 0.1 * errors[0]


def test_an_attack_stays_in_its_box_and_moves_the_output_along(default):
    rng = np.random.default_rng(0)
    for instance in default[::4]:
        service, inputs = Service(instance), instance.inputs
        x, wanted = inputs["x0"], rng.standard_normal(len(inputs["goal"]["linear"]))
        z = Direct(service).output(x)
        for steps in (1, 5):
            y = Direct(service).attack(x, wanted, 1e-3, steps)
            assert np.abs(y - x).max() <= 1e-3 + 1e-12
            assert wanted @ (Direct(service).output(y) - z) > 0
        far = Direct(service).attack(x, wanted, 100.0, 5)
        assert (np.abs(far) <= 1).all()
        assert np.array_equal(Direct(service).attack(x, wanted, 0.0, 1), x)
        assert service.log.spent == 3 + 2 + 6 + 6 + 2


def test_points_outside_are_moved_onto_the_bounds(smoke):
    service = Service(smoke[0])
    assert np.array_equal(Direct(service).output(np.full(8, 5.0)), Direct(service).output(np.ones(8)))


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("output", ()),
        ("output", (None,)),
        ("output", (np.zeros(7),)),
        ("output", (np.full(8, np.nan),)),
        ("output", (np.zeros((2, 8)),)),
        ("attack", (np.zeros(8),)),
        ("attack", (np.zeros(8), np.zeros(4), 0.1, 2)),
        ("attack", (np.zeros(8), np.zeros(4), 0.1, 1000)),
        ("attack", (np.zeros(8), np.zeros(4), 0.1, True)),
        ("attack", (np.zeros(8), np.zeros(3), 0.1, 1)),
        ("attack", (np.zeros(8), np.zeros(4), -0.1, 1)),
        ("attack", (np.zeros(8), np.full(4, np.inf), 0.1, 1)),
    ],
)
def test_malformed_calls_are_refused_and_cost(smoke, method, arguments):
    service = Service(smoke[0])
    with pytest.raises(OracleRefused):
        getattr(Direct(service), method)(*arguments)
    assert service.log.spent >= 1


def test_nothing_is_answered_beyond_the_budget(smoke):
    service = Service(smoke[0])
    for _ in range(smoke[0].inputs["budget"]):
        Direct(service).output(np.zeros(8))
    with pytest.raises(OracleRefused):
        Direct(service).output(np.zeros(8))
    with pytest.raises(OracleRefused):
        Direct(service).attack(np.zeros(8), np.zeros(4), 0.1, 1)


def test_starts_are_feasible_and_the_best_is_beyond_random_search(default):
    rng = np.random.default_rng(1)
    for instance in default:
        inputs, hidden = instance.inputs, instance.secret
        z0 = hidden.network.output(inputs["x0"][None])[0]
        assert excess(inputs["goal"], z0) < 0
        z = hidden.network.output(rng.uniform(-1, 1, (2000, len(inputs["x0"]))))
        feasible = z[excess(inputs["goal"], z) <= 0]
        assert value(inputs["goal"], feasible).max() < hidden.best


def test_an_infeasible_point_counts_as_the_start(default):
    rng = np.random.default_rng(0)
    for instance in default:
        net, goal = instance.secret.network, instance.inputs["goal"]
        x = rng.uniform(-1, 1, (2000, len(instance.inputs["x0"])))
        beyond = x[excess(goal, net.output(x)).argmax()]
        if excess(goal, net.output(beyond[None])[0]) <= 0:
            continue
        verdict = judge(instance, beyond, None)
        assert verdict.metrics["feasible"] == 0
        assert verdict.metrics["regret"] == pytest.approx(1)
        assert judge(instance, instance.inputs["x0"], None).metrics["regret"] == pytest.approx(1)
        return
    pytest.fail("no instance's constraint is ever violated")


@pytest.mark.parametrize(
    "output", [None, 0.0, [], "x", np.zeros(7), np.full(8, np.nan), np.full(8, 1.1), np.zeros((1, 8))]
)
def test_hostile_outputs_are_refused(smoke, output):
    with pytest.raises(Rejected):
        judge(smoke[0], output, None)


def test_instances_repeat(default):
    for one, other in zip(default, instances(np.random.default_rng(2), "default"), strict=True):
        assert np.array_equal(one.inputs["x0"], other.inputs["x0"])
        assert one.secret.best == other.secret.best


def test_directions_of_a_poll_span_positively():
    steps = np.array(list(reference.poll(3, 4)))
    assert np.linalg.norm(steps, axis=1) == pytest.approx(np.ones(8))
    assert steps[::2] @ steps[::2].T == pytest.approx(np.eye(4), abs=1e-12)
    assert np.array_equal(steps[1::2], -steps[::2])


def test_the_hybrid_beats_direct_search_within_the_budget(default):
    gone = []
    for instance in default:
        row = []
        for program in (baseline, known_attacks_alone, reference):
            verdict, spent = run(program.maximise, instance)
            assert spent <= instance.inputs["budget"]
            assert verdict.metrics["feasible"] == 1
            row.append(np.log(verdict.metrics["regret"] + task.objective.floor))
        gone.append(row)
    polled, attacked, hybrid = np.array(gone).T
    assert (polled - hybrid).mean() > 0.4
    assert hybrid.mean() < attacked.mean()


def test_smoke_instances_tell_the_programs_apart(smoke):
    for instance in smoke:
        regrets = [run(program.maximise, instance)[0].metrics["regret"] for program in (baseline, reference)]
        assert regrets[0] != pytest.approx(regrets[1])
