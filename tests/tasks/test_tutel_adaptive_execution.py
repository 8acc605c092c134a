"""tutel_adaptive_execution: the time model, the oracle's rules, and what adapting is worth."""

import numpy as np
import pytest

from speciate.evaluators import CallLog, OracleRefused
from speciate.tasks.mixture_of_experts.tutel_adaptive_execution import baseline, known_commit, reference
from speciate.tasks.mixture_of_experts.tutel_adaptive_execution.task import (
    DEGREE_CHOICES,
    R_CHOICES,
    STRATEGIES,
    Layer,
    instances,
    judge,
)
from speciate.tasks.mixture_of_experts.workloads import capacity_factors, expert_layer, layer_ms


class Direct:
    """The oracle as a program sees it, without a process between."""

    def __init__(self, layer):
        self.layer = layer

    def step(self, *args, **kwargs):
        return self.layer.serve("step", args, kwargs)


def run(execute, instance):
    layer = Layer(instance)
    output = execute(Direct(layer), **instance.inputs)
    return judge(instance, output, layer.log)


def slowdowns(program, size, seed=0):
    verdicts = [run(program.execute, instance) for instance in instances(np.random.default_rng(seed), size)]
    assert all(verdict.valid for verdict in verdicts)
    return np.array([verdict.metrics["slowdown"] for verdict in verdicts])


@pytest.fixture(scope="module")
def smoke():
    return instances(np.random.default_rng(0), "smoke")[0]


def test_overlapped_time_is_that_of_two_machines_in_a_row():
    """Pieces go through the exchange (out and back) and the experts; the slower of the two sets the pace."""
    layer = expert_layer(np.random.default_rng(0))
    for degree in DEGREE_CHOICES:
        told = float(layer_ms(layer, np.array(5.0), 2, degree, 0))
        exchange = 2 * (layer["startup_ms"] + layer["token_ms"] * layer["token_mb"] * 5.0 / degree)
        slow = layer["contention"] if degree > 1 else 1.0
        experts = layer["expert_ms"] * 5.0 / degree * slow + layer["launch_ms"]
        link = work = 0.0
        for _ in range(degree):
            link += exchange
            work = max(work, link) + experts
        assert told == pytest.approx(work + layer["param_ms"] * layer["params_mb"] / 2)


def test_the_best_choice_differs_between_clusters_and_changes_within_most():
    clusters = [i.secret for seed in range(3) for i in instances(np.random.default_rng(seed), "default")]
    best = [set(np.array(STRATEGIES)[c.times.argmin(axis=1)][:, 0]) for c in clusters]
    assert set.union(*best) == set(R_CHOICES)
    assert np.mean([len(each) > 1 for each in best]) > 0.6
    fixed = np.mean([np.log(c.times.sum(axis=0) / c.times.min(axis=1).sum()) for c in clusters], axis=0)
    static = fixed[STRATEGIES.index((1, 1, 0))]
    # No single strategy is good everywhere, so that none can be hard-coded.
    assert fixed.min() > 0.4 * static


def test_factors_stay_in_range_and_jump():
    series = capacity_factors(np.random.default_rng(0), 2000, 16.0)
    assert series.min() >= 1
    assert series.max() < 18
    assert len(np.unique(np.floor(series))) > 8


def test_the_reply_is_the_noisy_time_and_the_next_factor(smoke):
    layer, cluster = Layer(smoke), smoke.secret
    for now in range(50):
        ms, following = Direct(layer).step(2, 4, 1)
        true = cluster.times[now, STRATEGIES.index((2, 4, 1))]
        assert abs(np.log(ms / true)) < 0.2
        assert following == cluster.factors[now + 1]
    assert smoke.inputs["first"] == cluster.factors[0]


@pytest.mark.parametrize(
    "arguments",
    [(), (1, 1), (1, 1, 0, 0), (3, 1, 0), (1, 3, 0), (1, 1, 2), (-1, 1, 0), (1.0, 1, 0), ("1", 1, 0), (None,) * 3],
)
def test_choices_that_do_not_exist_are_refused_and_use_up_an_iteration(smoke, arguments):
    layer = Layer(smoke)
    with pytest.raises(OracleRefused):
        Direct(layer).step(*arguments)
    assert layer.log.spent == 1
    assert not layer.log.chosen


def test_another_number_of_iterations_is_invalid_or_refused(smoke):
    assert not run(lambda oracle, **inputs: None, smoke).valid
    assert not run(lambda oracle, steps, **inputs: [oracle.step(1, 1, 0) for _ in range(steps - 1)], smoke).valid
    with pytest.raises(OracleRefused):
        run(lambda oracle, steps, **inputs: [oracle.step(1, 1, 0) for _ in range(steps + 1)], smoke)
    assert not judge(smoke, None, None).valid
    assert not judge(smoke, 1.0, CallLog()).valid


def test_the_true_times_count_and_not_the_noisy_ones(smoke):
    verdict = run(lambda oracle, steps, **inputs: [oracle.step(1, 1, 0) for _ in range(steps)], smoke)
    times = smoke.secret.times
    assert verdict.metrics["slowdown"] == pytest.approx(
        times[:, STRATEGIES.index((1, 1, 0))].sum() / times.min(1).sum()
    )
    assert verdict.metrics["strategies"] == 1
    assert verdict.metrics["changes"] == 0


def test_the_closed_form_is_the_traffic_and_prefers_copies_where_parameters_weigh():
    spec = {"gather": 2.5, "params_mb": 40.0, "token_mb": 1.0}
    best = [min(R_CHOICES, key=lambda r: reference.traffic(spec, factor, r)) for factor in (1.0, 4.0, 16.0, 400.0)]
    assert best == [8, 4, 2, 0]


def test_instances_repeat():
    one, other = (instances(np.random.default_rng(3), "default") for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert a.inputs == b.inputs
        assert np.array_equal(a.secret.times * a.secret.noise, b.secret.times * b.secret.noise)


def test_adapting_beats_the_static_stack_and_committing_once():
    static, adaptive, committed = (np.log(slowdowns(p, "default")) for p in (baseline, reference, known_commit))
    gain = static - adaptive
    assert gain.mean() > 0.2
    assert adaptive.mean() < committed.mean() < static.mean()
    assert adaptive.mean() < 0.12


def test_smoke_instances_tell_the_programs_apart():
    assert not np.allclose(slowdowns(baseline, "smoke"), slowdowns(reference, "smoke"))
