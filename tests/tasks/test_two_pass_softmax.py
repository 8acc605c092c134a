"""two_pass_softmax: the machine's arithmetic and costs, what kernels are refused, and what the programs reach."""

import copy

import numpy as np
import pytest
from scipy.special import softmax

from speciate.evaluators import Rejected
from speciate.tasks.attention_kernels.stream_machine import Machine, modelled, parsed, run
from speciate.tasks.attention_kernels.two_pass_softmax import baseline, known_recompute, reference
from speciate.tasks.attention_kernels.two_pass_softmax.task import instances, judge
from speciate.tasks.attention_kernels.workloads import softmax_inputs

PROGRAMS = [baseline, known_recompute, reference]


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def ran(body, x, init=None, reduce=()):
    return run(parsed([one_pass(body, init, reduce)]), np.asarray(x, np.float32).reshape(1, -1))[0]


def one_pass(body, init=None, reduce=(), direction: object = 1):
    return {"direction": direction, "init": init or {}, "body": body, "reduce": list(reduce)}


@pytest.mark.parametrize("program", PROGRAMS)
def test_results_are_those_of_scipy(program, smoke):
    x = softmax_inputs(np.random.default_rng(1), 4096)
    found = run(parsed(program.kernel(**smoke.inputs)), x)
    assert np.allclose(found, softmax(x.astype(np.float64), axis=1), rtol=1e-5, atol=1e-30)


def test_traffic_is_three_four_and_five_words_out_of_cache(smoke):
    machine, n = Machine(cache=1 << 14, bandwidth=12.0, speed=1e9), 1 << 17
    words = [modelled(parsed(program.kernel(**smoke.inputs)), n, machine).bytes / 4 for program in PROGRAMS]
    assert words == [5, 4, 3]
    roomy = Machine(cache=1 << 19, bandwidth=12.0, speed=1e9)
    assert modelled(parsed(baseline.kernel(**smoke.inputs)), n, roomy).bytes == 8


def test_a_pass_takes_the_longer_of_transfers_and_operations():
    kernel = parsed([one_pass([["load", "v", "x"], ["exp2", "w", 0.0], ["store", "y", "w"]])])
    n = 1 << 16
    memory_bound = modelled(kernel, n, Machine(1 << 12, bandwidth=2.0, speed=100.0))
    assert (memory_bound.bytes, memory_bound.operations) == (8, 0.5)
    assert memory_bound.ns == pytest.approx(4.0)
    assert modelled(kernel, n, Machine(1 << 12, bandwidth=1e6, speed=0.25)).ns == pytest.approx(2.0)


def test_going_back_over_the_array_finds_its_end_in_the_cache():
    there = one_pass([["load", "v", "x"], ["add", "v", "v", "v"]])
    back = one_pass([["load", "v", "x"], ["max", "v", "v", 0]])
    n, machine = 1 << 16, Machine(1 << 13, bandwidth=1.0, speed=1e9)
    assert modelled(parsed([there, back]), n, machine).bytes == 8
    assert modelled(parsed([there, {**back, "direction": -1}]), n, machine).bytes == 8 - 4 / 8


def test_operations_round_to_float32():
    x = np.linspace(-3, 3, 16, dtype=np.float32)
    load, store = ["load", "v", "x"], ["store", "y", "w"]
    fused = ran([load, ["fms", "w", "v", "v", 1.1], store], x)
    assert np.array_equal(fused, (x.astype(np.float64) ** 2 - np.float32(1.1)).astype(np.float32))
    assert np.array_equal(ran([load, ["rint", "w", "v"], store], x), np.rint(x))
    assert np.array_equal(ran([load, ["select", "w", "v", 0.0, 1.0, "v"], store], x), np.where(x < 0, 1, x))
    assert np.isnan(ran([load, ["exp2", "w", "v"], store], x)[[0, -1]]).all()
    assert np.allclose(ran([["exp2", "w", 0.5], store], x), 2**0.5)
    assert np.array_equal(ran([["ldexp", "w", 3.0, -126.0], store], x), np.full(16, 3 * 2.0**-126, np.float32))
    assert not ran([["ldexp", "w", 1.5, -127.0], store], x).any()
    assert np.isinf(ran([["ldexp", "w", 1.0, 3e4], store], x)).all()


def test_registers_last_from_pass_to_pass_and_lanes_rotate():
    x = np.arange(32, dtype=np.float32)
    total = one_pass(
        [["load", "v", "x"], ["add", "s", "s", "v"]],
        {"s": 0.0},
        [step for k in (8, 4, 2, 1) for step in (["rotate", "t", "s", k], ["add", "s", "s", "t"])],
    )
    kernel = parsed([total, one_pass([["store", "y", "s"]])])
    assert np.array_equal(run(kernel, x[None])[0], np.full(32, x.sum()))


def test_instances_repeat_and_are_out_of_cache():
    one, again, other = (instances(np.random.default_rng(s), "default") for s in (1, 1, 2))
    for mine, same in zip(one, again, strict=True):
        assert mine.inputs == same.inputs
        assert np.array_equal(mine.secret, same.secret)
        assert mine.inputs["n"] >= 4 * mine.inputs["cache"]
        assert len(mine.secret) == 6
    assert one[0].inputs != other[0].inputs


def test_the_order_of_the_programs():
    for instance in instances(np.random.default_rng(0), "default"):
        verdicts = [judge(instance, program.kernel(**instance.inputs), None) for program in PROGRAMS]
        assert all(verdict.valid for verdict in verdicts)
        reload, recompute, two = (verdict.metrics["ns"] for verdict in verdicts)
        assert two < 0.9 * recompute < 0.9 * reload


def test_kernels_that_overflow_or_ignore_their_input_are_invalid(smoke):
    naive = copy.deepcopy(baseline.kernel(**smoke.inputs))
    naive[0]["body"][1] = ["max", "largest", 0.0, 0.0]
    assert not judge(smoke, naive, None).valid
    unscaled = copy.deepcopy(reference.kernel(**smoke.inputs))
    unscaled[1]["body"] = [step for step in unscaled[1]["body"] if step != ["sub", "e", "e", "E"]]
    assert not judge(smoke, unscaled, None).valid
    assert not judge(smoke, [one_pass([["load", "v", "x"], ["store", "y", "v"]])], None).valid
    assert not judge(smoke, [one_pass([["store", "y", 1 / 1024]])], None).valid


@pytest.mark.parametrize(
    "kernel",
    [
        None,
        [],
        {},
        "kernel",
        [[]],
        [{}],
        [one_pass([["store", "y", 0.0]])] * 9,
        [one_pass([["load", "v", "x"]] * 401)],
        [one_pass([["add", f"r{k}", 1, 2] for k in range(33)])],
        [one_pass([["store", "y", "v"]])],
        [one_pass([["store", "x", 1.0]])],
        [one_pass([["load", "v", "z"]])],
        [one_pass([["load", "v", np.zeros(3)]])],
        [one_pass([["load", "y", "x"]])],
        [one_pass([["add", "v", 1.0]])],
        [one_pass([["add", "v", 1.0, np.zeros(16)]])],
        [one_pass([["add", "v", 1.0, float("nan")]])],
        [one_pass([["add", "v", 1.0, True]])],
        [one_pass([["add", ["v"], 1.0, 2.0]])],
        [one_pass([[["add"], "v", 1.0, 2.0]])],
        [one_pass([["exp", "v", 1.0]])],
        [one_pass([["rotate", "v", 1.0, 1]])],
        [one_pass([], {}, [["load", "v", "x"]])],
        [one_pass([], {}, [["rotate", "v", 1.0, 16]])],
        [one_pass([], {"v": "1"})],
        [one_pass([], {1: 1.0})],
        [one_pass([], {"v": 10**400})],
        [one_pass([], direction=0)],
        [one_pass([], direction=np.ones(2))],
        [one_pass(3)],
        [{**one_pass([]), "more": 1}],
    ],
)
def test_malformed_kernels_are_refused(kernel, smoke):
    with pytest.raises(Rejected):
        judge(smoke, kernel, None)
