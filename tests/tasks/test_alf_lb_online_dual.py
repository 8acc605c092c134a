"""alf_lb_online_dual: the optimum against a linear program, what the oracle and the judge refuse, and the regrets."""

import numpy as np
import pytest

from speciate.evaluators import CallLog, OracleRefused
from speciate.tasks.mixture_of_experts import workloads
from speciate.tasks.mixture_of_experts.alf_lb_online_dual import (
    baseline,
    known_proportional_step,
    known_root,
    reference,
)
from speciate.tasks.mixture_of_experts.alf_lb_online_dual.task import Router, instances, judge, task


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPECIATE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, router):
        self.router = router

    def route(self, *args, **kwargs):
        return self.router.serve("route", args, kwargs)


def run(balance, instance):
    router = Router(instance)
    output = balance(Direct(router), **instance.inputs)
    return judge(instance, output, router.log)


def regret(program, size, seed):
    verdicts = [run(program.balance, instance) for instance in instances(np.random.default_rng(seed), size)]
    assert all(verdict.valid for verdict in verdicts)
    return np.exp(np.mean([np.log(verdict.metrics["regret"] + task.objective.floor) for verdict in verdicts]))


def test_the_dual_is_convex_and_the_load_its_slope():
    rng = np.random.default_rng(0)
    batch = rng.random((40, 6)).astype(np.float32)
    for _ in range(20):
        p, q = rng.normal(0, 0.3, (2, 6))
        at_p, load = workloads.dual_and_load(batch, p, 2)
        at_q = workloads.dual_and_load(batch, q, 2)[0]
        assert load.sum() == 80
        assert at_q >= at_p + (load - 80 / 6) @ (q - p) / 40 - 1e-6
        assert workloads.dual_and_load(batch, p + 1.0, 2)[0] == pytest.approx(at_p, abs=1e-5)


def test_the_optimum_is_that_of_the_balanced_assignment():
    from scipy.optimize import linprog

    trace = workloads.affinities(1, 16, 8, 6, 1.0)
    tokens, experts, k = 16 * 8, 6, 2
    rows = np.kron(np.eye(tokens), np.ones(experts))
    columns = np.kron(np.ones(tokens), np.eye(experts))
    # By duality the least mean dual is the most affinity that balanced (fractional) routing can keep.
    plan = linprog(
        -trace.reshape(-1).astype(float),
        A_eq=np.vstack([rows, columns]),
        b_eq=np.concatenate([np.full(tokens, k), np.full(experts, tokens * k / experts)]),
        bounds=(0, 1),
    )
    assert workloads.best_fixed_bias(trace, k)[1] == pytest.approx(-plan.fun / tokens, abs=2e-4)


def test_no_subgradient_step_from_the_optimum_gains():
    trace = workloads.affinities(2, 60, 128, 16, 1.2)
    p, value = workloads.best_fixed_bias(trace, 2)
    tokens = trace.reshape(-1, 16)
    rng = np.random.default_rng(0)
    for scale in (1e-4, 1e-3, 1e-2):
        for _ in range(10):
            assert workloads.dual_and_load(tokens, p + scale * rng.standard_normal(16), 2)[0] > value - 1e-6


def test_the_generator_is_deterministic():
    one, other = (instances(np.random.default_rng(3), "smoke") for _ in range(2))
    assert [i.inputs for i in one] == [i.inputs for i in other]
    assert all(np.array_equal(a.secret.trace, b.secret.trace) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0].secret.trace, instances(np.random.default_rng(4), "smoke")[0].secret.trace)


def probing(oracle, E, k, tokens, steps):
    reference.balance(oracle, E, k, tokens, steps)
    oracle.route(np.zeros(E))


def lazy(oracle, E, k, tokens, steps):
    reference.balance(oracle, E, k, tokens, steps - 1)


def test_too_many_calls_are_refused_and_too_few_invalid():
    instance = instances(np.random.default_rng(0), "smoke")[0]
    with pytest.raises(OracleRefused):
        run(probing, instance)
    assert not run(lazy, instance).valid
    assert not run(lambda oracle, **inputs: 0.0, instance).valid
    assert not judge(instance, None, None).valid
    assert not judge(instance, None, CallLog()).valid


@pytest.mark.parametrize(
    "bias",
    [
        None,
        "p",
        0.0,
        [],
        np.zeros(15),
        np.zeros((1, 16)),
        np.full(16, np.nan),
        np.full(16, -np.inf),
        np.full(16, 10.1),
        np.zeros(16, complex),
        np.zeros(16, bool),
    ],
)
def test_bad_biases_are_refused_and_cost_a_call(bias):
    instance = instances(np.random.default_rng(0), "smoke")[0]
    router = Router(instance)
    with pytest.raises(OracleRefused):
        Direct(router).route(bias)
    assert router.log.spent == 1
    with pytest.raises(OracleRefused):
        Direct(router).route(np.zeros(16), np.zeros(16))
    with pytest.raises(OracleRefused):
        Direct(router).route(p=np.zeros(16))


def test_every_call_counts():
    """A program that spends calls on probes pays for them even where the other half is routed well."""

    def half(oracle, E, k, tokens, steps):
        class Twice:
            def route(self, p):
                oracle.route(np.where(np.arange(E) < k, 1.0, 0.0))
                return oracle.route(p)

        reference.balance(Twice(), E, k, tokens, steps // 2)

    instance = instances(np.random.default_rng(0), "smoke")[0]
    honest, probes = run(reference.balance, instance), run(half, instance)
    assert probes.valid
    assert probes.metrics["regret"] > 3 * honest.metrics["regret"]


def test_diminishing_steps_beat_sign_steps():
    sign = regret(baseline, "default", 0)
    assert regret(reference, "default", 0) < 0.5 * sign
    assert regret(known_root, "default", 0) < regret(known_proportional_step, "default", 0) < sign
