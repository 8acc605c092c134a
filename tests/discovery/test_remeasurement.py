"""Noisy scores: what displaces an elite, what is certified, and what the journal says of it; the clock is a fake."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from speciate.agents.scripted import ScriptedProposer
from speciate.archive import (
    Added,
    ArchiveSettings,
    Calibrated,
    Evaluated,
    Event,
    Journal,
    Program,
    Proposed,
    Remeasured,
    RunStarted,
    RunState,
    replay,
    verify,
)
from speciate.benchmarks.curse import curse
from speciate.benchmarks.noise import CLOCKED
from speciate.discovery import Budget
from speciate.discovery.briefing import task_card
from speciate.discovery.certification import MAX_TRIES, candidates, confidence_of, tries
from speciate.discovery.conductor import Conductor
from speciate.discovery.config import load_config
from speciate.discovery.events import seed_event
from speciate.discovery.rules import Rules
from speciate.evaluators import Calibration, Duel, Evaluation, InstanceResult, State, TaskFolder, load_task
from speciate.evaluators.duel import DUEL_CONFIDENCE
from speciate.evaluators.scoring import CONFIDENCE, median_interval
from speciate.evaluators.timing import FEWEST, clocked_score, hopeless

NOISE = 0.05
"""Standard deviation of the log of one ratio of times."""

Truth = Callable[[str], float]
"""A program's true gain, by its source."""


class NoisyClock:
    """An executor that times nothing: every gain is the truth and noise."""

    def __init__(self, truth: Truth, seed: int = 0) -> None:
        self._truth = truth
        self._rng = np.random.default_rng(seed)
        self.duels = 0

    def scored(self, gains: list[float], confidence: float = CONFIDENCE) -> Evaluation:
        score, interval = clocked_score(gains, 1.0, confidence)
        return Evaluation(
            state=State.VALID,
            size="default",
            score=score,
            interval=interval,
            descriptors={"code_size": 50.0},
            instances=tuple(InstanceResult(name="one", state=State.VALID, gain=gain) for gain in gains),
        )

    def fresh(self, files: Mapping[str, str], count: int = FEWEST, confidence: float = CONFIDENCE) -> Evaluation:
        taken: list[float] = []
        for noise in self._rng.normal(0, NOISE, count):
            taken.append(self._truth(files["program.py"]) + float(noise))
            if hopeless(taken):
                break
        return self.scored(taken, confidence)

    async def evaluate(self, files: Mapping[str, str], program_id: str, known: object = None) -> Evaluation:
        return self.fresh(files)

    async def trace(self, files: Mapping[str, str], evaluation: Evaluation) -> None:
        return None

    async def smoke(self, files: Mapping[str, str], counterexamples: Sequence[str] = ()) -> Evaluation | None:
        return None

    async def counterexample(self, files: Mapping[str, str], sound: Sequence[Mapping[str, str]]) -> Evaluation | None:
        return None

    async def duel(self, challenger: Mapping[str, str], elite: Mapping[str, str], name: str) -> Duel | None:
        self.duels += 1
        first, second = (
            [self._truth(files["program.py"]) + self._rng.normal(0, NOISE, FEWEST) for files in (challenger, elite)]
            for _ in range(2)
        )
        ahead = median_interval((first[0] - first[1]).tolist(), DUEL_CONFIDENCE)
        mine, theirs = second if ahead.low > 0 else first
        return Duel(challenger=self.scored(mine.tolist()), elite=self.scored(theirs.tolist()), ahead=ahead)

    async def close(self) -> None: ...


def opening(folder: TaskFolder, clocked: bool, islands: int) -> list[Event]:
    task = folder.task
    empty: dict[str, float] = {}
    calibration = Calibration(
        size="default", purpose="search", sets=4, clocked=clocked, tier="full", baseline=empty, reference=empty,
        baseline_metrics={}, reference_metrics={}, baseline_cpu=empty, reference_gain=1.0, gains=(1.0,),
        baseline_value=1.0, reference_value=0.4,
    )  # fmt: skip
    started = RunStarted(
        task=task.id, task_path=str(folder.path), task_digest=folder.digest, config={}, seed=0, secret="00",
        archive=ArchiveSettings.of(task.descriptors, islands=islands, migration_interval=5), version="0",
    )  # fmt: skip
    return [started, Calibrated(calibration=calibration), seed_event(folder.baseline)]


def search(
    directory: Path, sources: list[str], clock: NoisyClock, *, clocked: bool = True, islands: int = 1
) -> RunState:
    folder = load_task(str(CLOCKED))
    config = load_config(None, budget__evaluations=len(sources) + 1, islands__count=islands, workers=1, in_flight=1)
    state = RunState()
    with contextlib.closing(Journal.create(directory)) as journal:
        for event in opening(folder, clocked, islands):
            journal.append(event)
            state.apply(event)
        conductor = Conductor(
            config, task_card(folder), Rules(folder.task, folder.baseline), state, journal,
            ScriptedProposer(sources), clock, Budget(config.budget),
        )  # fmt: skip
        asyncio.run(conductor.run())
    return state


def spellings(count: int, gain: float = 0.0) -> list[str]:
    """Programs whose names tell what they are worth."""
    text = "GAIN = {gain}\nSPELLING = {number}\n\n\ndef running_sums(x):\n    return x\n"
    return [text.format(gain=gain, number=number) for number in range(count)]


def honest(source: str) -> float:
    first = source.splitlines()[0]
    return float(first.removeprefix("GAIN = ")) if first.startswith("GAIN") else 0.0


def events(directory: Path) -> list[Event]:
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        return [event for _, _, event in journal.events()]


@pytest.mark.parametrize("submissions", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_many_spellings_of_one_program_raise_neither_elite_nor_certificate(submissions: int, tmp_path: Path) -> None:
    clock = NoisyClock(honest)
    state = search(tmp_path / "run", spellings(submissions), clock)
    first = [event.first.score or 0.0 for event in events(tmp_path / "run") if isinstance(event, Remeasured)]
    assert max(first) > 2 * NOISE / FEWEST**0.5
    (elite,) = state.archipelago.islands[0].elites()
    assert abs(state.evaluation_of(elite).score or 0.0) < 2 * NOISE / FEWEST**0.5
    assert clock.duels < submissions / 2
    certificates = list(certified(state, clock))
    assert len(certificates) == MAX_TRIES
    assert state.certified_best is None
    assert abs(float(np.mean([one.score or 0.0 for one in certificates]))) < NOISE
    assert replay_of(tmp_path / "run") == verified(tmp_path / "run")


def certified(state: RunState, clock: NoisyClock) -> list[Evaluation]:
    def measure(program: str, confidence: float) -> Evaluation:
        return clock.fresh(state.program(program).files, 3 * FEWEST, confidence)

    for event in tries(state, candidates(state), measure):
        state.apply(event)
    return list(state.certificates.values())


def replay_of(directory: Path) -> int:
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        return replay(journal).evaluations


def verified(directory: Path) -> int:
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        report = verify(journal)
    assert report.problems == ()
    return report.evaluations


def test_the_chance_of_certifying_nothing_better_is_as_promised(tmp_path: Path) -> None:
    state = search(tmp_path / "run", spellings(MAX_TRIES + 2), NoisyClock(honest))
    false = 0
    for seed in range(300):
        state.certificates.clear()
        certified(state, NoisyClock(honest, seed))
        false += state.certified_best is not None
    assert false / 300 < 0.05
    assert sum(1 - confidence_of(k) for k in range(1, 10_000)) <= 1 - CONFIDENCE


def test_a_better_program_displaces_after_it_was_timed_again_and_is_certified(tmp_path: Path) -> None:
    clock = NoisyClock(honest)
    state = search(tmp_path / "run", [*spellings(5), *spellings(5, 0.1), *spellings(1, 0.2)], clock)
    (elite,) = state.archipelago.islands[0].elites()
    assert honest(state.program(elite).source) == 0.2
    assert clock.duels
    assert certified(state, clock)
    assert state.certified_best is not None
    assert honest(state.program(state.certified_best[0]).source) == 0.2
    gap = state.gap(state.certified_best[0])
    assert gap is not None
    assert abs(gap) < 3 * NOISE


def test_the_journal_tells_both_measurements_and_its_replay_is_the_state(tmp_path: Path) -> None:
    live = search(tmp_path / "run", spellings(60), NoisyClock(honest), islands=2)
    with contextlib.closing(Journal.open(tmp_path / "run", readonly=True)) as journal:
        assert replay(journal) == live
    verified(tmp_path / "run")
    told = events(tmp_path / "run")
    places = [place for place, event in enumerate(told) if isinstance(event, Remeasured)]
    assert places
    for place in places:
        remeasured, evaluated, added = told[place : place + 3]
        assert isinstance(remeasured, Remeasured)
        assert isinstance(evaluated, Evaluated)
        assert isinstance(added, Added)
        assert evaluated.evaluation.score == remeasured.duel.challenger.score != remeasured.first.score
        assert evaluated.evaluation.descriptors == remeasured.first.descriptors
        assert remeasured.duel.won or added.displaced is None
    for island in live.archipelago.islands:
        for elite in island.elites_by_cell.values():
            assert elite.score == live.evaluation_of(elite.program).score


def test_killed_between_proposal_and_remeasurement_only_that_program_is_pending(tmp_path: Path) -> None:
    search(tmp_path / "run", spellings(40), NoisyClock(honest))
    told = events(tmp_path / "run")
    place = next(place for place, event in enumerate(told) if isinstance(event, Remeasured))
    state = RunState()
    for event in told[:place]:
        state.apply(event)
    last = told[place - 1]
    assert isinstance(last, Proposed)
    assert list(state.pending) == [last.index]
    for event in told[place:]:
        state.apply(event)
    assert state.pending == {}


def test_an_elite_that_fails_on_fresh_instances_gives_way(tmp_path: Path) -> None:
    class Failing(NoisyClock):
        async def duel(self, challenger: Mapping[str, str], elite: Mapping[str, str], name: str) -> Duel | None:
            failed = Evaluation(state=State.CRASHED, size="default")
            return Duel(challenger=self.fresh(challenger), elite=failed, ahead=None)

    live = search(tmp_path / "run", spellings(30), Failing(honest))
    verified(tmp_path / "run")
    assert live.archipelago.islands[0].elites()
    crashed = [program for program in live.programs if live.evaluation_of(program).state is State.CRASHED]
    assert not set(crashed) & set(live.ranking(50))


def test_other_tasks_are_never_timed_again(tmp_path: Path) -> None:
    clock = NoisyClock(honest)
    search(tmp_path / "run", spellings(40), clock, clocked=False)
    assert clock.duels == 0
    assert not any(isinstance(event, Remeasured) for event in events(tmp_path / "run"))


def test_a_quarantined_program_is_tried_first_and_reported_where_it_holds(tmp_path: Path) -> None:
    class Doubting(NoisyClock):
        async def evaluate(self, files: Mapping[str, str], program_id: str, known: object = None) -> Evaluation:
            if honest(files["program.py"]) > 1:
                return Evaluation(state=State.QUARANTINED, size="default")
            return await super().evaluate(files, program_id)

    clock = Doubting(honest)
    state = search(tmp_path / "run", [*spellings(3), *spellings(1, 9.0)], clock)
    (program,) = state.quarantined
    assert program not in state.archipelago.islands[0].elites()
    assert program not in state.ranking(9)
    certified(state, clock)
    assert state.certified_best is not None
    assert state.certified_best[0] == program == next(iter(state.certificates))
    assert state.gap(program) is None


@pytest.mark.slow
def test_sixty_spellings_in_the_real_engine_raise_no_certificate(tmp_path: Path) -> None:
    found = curse(load_task(str(CLOCKED)), 60, tmp_path / "run")
    verified(tmp_path / "run")
    assert found.submissions == 60
    assert not found.certified
    assert found.certificates
    assert max(score for score, _ in found.certificates) < 0.1


def test_programs_of_the_fake_are_told_apart() -> None:
    assert len({Program.of(source).id for source in spellings(5)}) == 5
