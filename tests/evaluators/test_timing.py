"""The statistics of clocked objectives on simulated noise, and the clock on the real jail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from speciate.benchmarks.noise import CLOCKED, burner, coverage, respelled
from speciate.evaluators import Evaluator, State, calibrate, load_task
from speciate.evaluators.scoring import median_interval, median_score
from speciate.evaluators.timing import CLOCKED_CONFIDENCE, FEWEST, compared, draws_needed, fresh_instances, hopeless
from speciate.sandbox import Sandbox, SandboxSpec, open_sandbox

TOY = Path(__file__).parent.parent / "toy_tasks" / "timed"
MANY = 4000

Noise = Callable[[np.random.Generator, int], np.ndarray]

NOISES: dict[str, Noise] = {
    "normal": lambda rng, n: rng.normal(0, 0.03, n),
    "heavy tails": lambda rng, n: 0.02 * rng.standard_t(1.5, n),
    "bursts of another process": lambda rng, n: rng.normal(0, 0.01, n) + (rng.random(n) < 0.2) * rng.normal(0, 0.5, n),
    "going second is cheaper": lambda rng, n: rng.normal(0, 0.01, n) + 0.02 * (-1.0) ** np.arange(n),
    "kinds of instances": lambda rng, n: rng.normal(0, 0.02 * (1 + np.arange(n) % 3), n),
}


def measured(values: np.ndarray) -> list[float]:
    """The values until the program is given up."""
    taken: list[float] = []
    for value in values:
        taken.append(float(value))
        if hopeless(taken):
            break
    return taken


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("count", [FEWEST, 9, 24])
def test_the_interval_covers_the_truth_whatever_the_noise_even_when_it_is_stopped_early(noise: str, count: int) -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(MANY):
        interval = median_score(measured(NOISES[noise](rng, count)), 1.0, CLOCKED_CONFIDENCE)[1]
        covered += interval.low <= 0 <= interval.high
    assert covered / MANY >= 0.96


def test_the_interval_covers_the_spread_over_instances_too() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(MANY):
        truth = rng.normal(0.5, 0.3, FEWEST)
        interval = median_interval((truth + rng.normal(0, 0.03, FEWEST)).tolist())
        covered += interval.low <= 0.5 <= interval.high
    assert covered / MANY >= 0.94


def test_a_real_gain_is_seen_and_a_slow_program_is_given_up() -> None:
    rng = np.random.default_rng(3)
    faster = [median_interval(rng.normal(0.2, 0.03, FEWEST).tolist()) for _ in range(200)]
    assert all(interval.low > 0 for interval in faster)
    runs = [len(measured(rng.normal(-0.7, 0.03, FEWEST))) for _ in range(200)]
    assert np.mean(runs) < FEWEST - 2


def test_the_rank_follows_the_binomial_tail() -> None:
    values = [float(i) for i in range(1, 10)]
    assert (median_interval(values, 0.95).low, median_interval(values, 0.95).high) == (2.0, 8.0)
    assert (median_interval(values, 0.98).low, median_interval(values, 0.98).high) == (1.0, 9.0)
    few = median_interval([0.0, 1.0, 2.0])
    assert few.low < 0
    assert few.high > 2


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(SandboxSpec()) as opened:
        yield opened


def test_programs_take_turns_on_instances_that_differ_each_time(sandbox: Sandbox) -> None:
    folder = load_task(str(TOY))
    order: list[str] = []

    class Watched(Sandbox):
        def process(self, files, limits):  # type: ignore[override]
            order.append("baseline" if files["program.py"] == folder.baseline else "candidate")
            return sandbox.process(files, limits)

    watched = Watched.__new__(Watched)
    per_draw = len(folder.task.instances(np.random.default_rng(0), "default"))
    instances = fresh_instances(folder.task, b"s", "default", "search", "p", draws_needed(folder.task, per_draw))
    candidate = {"program.py": respelled(folder.baseline, 1)}
    found = list(compared(folder, watched, (candidate,), instances))
    assert len(found) >= FEWEST
    assert order[:8] == ["baseline", "candidate", "candidate", "baseline"] * 2
    assert len({one.instance.inputs["X"].tobytes() for one in found}) == len(found)
    assert all(one.gains[0] is not None for one in found)


def test_a_program_is_held_to_a_multiple_of_the_baselines_time_whoever_goes_first(sandbox: Sandbox) -> None:
    folder = load_task(str(TOY))
    limits = replace(folder.task.limits, cpu_times_baseline=2.0)
    folder = replace(folder, task=replace(folder.task, limits=limits))
    slow = folder.baseline.replace("    return out", "    for _ in range(6_000_000): pass\n    return out")
    draws = list(fresh_instances(folder.task, b"s", "default", "search", "p", 1))
    states = [one.trials[0].state for one in compared(folder, sandbox, ({"program.py": slow},), draws)]
    assert states == [State.TIMEOUT, State.TIMEOUT]


def test_a_duel_is_won_by_the_faster_program_only(sandbox: Sandbox) -> None:
    folder = load_task(str(CLOCKED))
    evaluator = Evaluator(folder, sandbox, b"duel", calibrate(folder, sandbox, b"duel"))
    slow, fast = ({"program.py": folder.programs[name]} for name in ("baseline", "reference"))
    won, lost = evaluator.duel(fast, slow, "one"), evaluator.duel(slow, fast, "two")
    assert won is not None
    assert lost is not None
    assert won.won
    assert not lost.won
    assert won.elite.score == pytest.approx(0, abs=0.3)
    assert won.challenger.load is not None


@pytest.mark.slow
@pytest.mark.parametrize("busy", [False, True])
def test_a_program_against_itself_scores_nothing(busy: bool, sandbox: Sandbox) -> None:
    folder = load_task(str(CLOCKED))
    if busy:
        with burner():
            found = coverage(folder, sandbox, 100)
    else:
        found = coverage(folder, sandbox, 100)
    assert found.covered >= 95
