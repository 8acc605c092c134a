"""streaming_bandit: what the arms do and refuse, the regret against a by-hand count, and what the programs reach."""

import contextlib

import numpy as np
import pytest

from speciate.evaluators import OracleRefused
from speciate.tasks.streaming.streaming_bandit import baseline, known_short_exploration, reference
from speciate.tasks.streaming.streaming_bandit.task import Arms, Stream, drive, instances, judge
from speciate.tasks.streaming.workloads import bernoulli_arms


class Direct:
    """The oracle as a program sees it, without a process between; also a session that plays in this process."""

    def __init__(self, arms):
        self.arms = arms

    def __getattr__(self, method):
        return lambda *args, **kwargs: self.arms.serve(method, args, kwargs)


class Session:
    def __init__(self, play):
        self.play = play

    def call(self, entry, inputs, oracle):
        self.play(Direct(oracle), **inputs)


def run(play, instance):
    return judge(instance, drive(instance, Session(play)), None)


def regret(program, size, seed):
    verdicts = [run(program.play, instance) for instance in instances(np.random.default_rng(seed), size)]
    assert all(verdict.valid for verdict in verdicts)
    return np.exp(np.mean([np.log(verdict.metrics["regret"]) for verdict in verdicts]))


def arms(means=(0.2, 0.9, 0.5), trials=1000):
    return Arms(Stream(np.array(means), 0), trials)


@pytest.mark.parametrize("kind", ["uniform", "one good", "poor"])
def test_means_are_probabilities_with_one_best(kind):
    means = bernoulli_arms(np.random.default_rng(0), kind, 50)
    assert 0 < means.min() < means.max() < 1
    assert (means == means.max()).sum() == 1


def test_generator_and_programs_repeat():
    one, other = (instances(np.random.default_rng(3), "smoke")[0] for _ in range(2))
    assert one.inputs == other.inputs
    assert run(reference.play, one) == run(reference.play, other)


def test_successes_come_from_the_arm_asked():
    env = arms(trials=10**6)
    assert Direct(env).pull(10**5) == pytest.approx(0.2 * 10**5, rel=0.05)
    assert Direct(env).next(True) == 2
    assert Direct(env).pull(10**5) == pytest.approx(0.9 * 10**5, rel=0.05)
    assert Direct(env).pull_stored(10**5) == pytest.approx(0.2 * 10**5, rel=0.05)


def test_regret_counts_every_trial():
    instance = instances(np.random.default_rng(0), "smoke")[0]
    T, K = instance.inputs["T"], instance.inputs["K"]

    def first_arm(oracle, K, T, seed):
        oracle.pull(100)
        oracle.next(True)
        oracle.pull(40)
        oracle.pull_stored(7)

    gaps = [stream.means.max() - stream.means[:2] for stream in instance.secret]
    by_hand = np.mean([40 * second + (T - 40) * first for first, second in gaps]) / (K ** (1 / 3) * T ** (2 / 3))
    verdict = run(first_arm, instance)
    assert verdict.metrics["regret"] == pytest.approx(by_hand)
    assert verdict.metrics["exploration"] == pytest.approx(147 / T)


def test_lost_arms_and_spent_trials_are_refused():
    env = arms()
    with pytest.raises(OracleRefused):
        Direct(env).pull_stored(1)
    assert [Direct(env).next(False) for _ in range(3)] == [2, 1, 0]
    for call in (lambda: Direct(env).pull(1), lambda: Direct(env).next(True), lambda: Direct(env).pull_stored(1)):
        with pytest.raises(OracleRefused):
            call()
    env = arms(trials=10)
    Direct(env).pull(8)
    with pytest.raises(OracleRefused):
        Direct(env).pull(3)
    assert env.used == 8


@pytest.mark.parametrize("count", [None, 0, -5, 1.5, "8", True, np.nan, 10**30, [1], np.ones(2, int)])
def test_bad_numbers_of_pulls_are_refused_and_spend_nothing(count):
    env = arms()
    with pytest.raises(OracleRefused):
        Direct(env).pull(count)
    with pytest.raises(OracleRefused):
        Direct(env).pull()
    with pytest.raises(OracleRefused):
        Direct(env).pull(1, 1)
    assert env.used == 0
    assert env.regret == 0


@pytest.mark.parametrize("store", [None, 1, 0.0, "yes", [], np.ones(2)])
def test_next_takes_a_truth_value(store):
    env = arms()
    with pytest.raises(OracleRefused):
        Direct(env).next(store)
    assert env.stored is None


def test_playing_without_a_stored_arm_is_invalid():
    instance = instances(np.random.default_rng(0), "smoke")[0]
    assert not run(lambda oracle, **inputs: None, instance).valid

    def greedy(oracle, K, T, seed):
        with contextlib.suppress(OracleRefused):
            while True:
                oracle.pull(1000)

    assert not run(greedy, instance).valid


def test_early_rejection_beats_uniform_exploration():
    uniform = regret(baseline, "default", 0)
    assert regret(reference, "default", 0) < 0.3 * uniform
    assert regret(known_short_exploration, "default", 0) < 0.8 * uniform
