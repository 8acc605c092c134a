"""Comparison of search methods under one budget, with the same seeds for each and intervals over the seeds.

What counts is what a method itself may see: a curve is the score of the best program after each evaluation of the
run's own instances, the baseline's evaluation being the first. An evaluation counts when a program ran in the sandbox
and got a verdict; duplicates and programs that break the rules are dropped before, and INFRA is tried again, so neither
counts. The certificate on fresh instances comes after the budget, and is reported beside it.
"""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..archive import Journal, RunState, is_run, replay
from ..evaluators import Interval, TaskError, load_task
from .config import ConfigError, RunConfig
from .executors import settle
from .finish import Stage
from .recorder import Observer
from .run import resume, start

RESAMPLES = 10_000
CONFIDENCE = 0.95


class Interrupted(Exception):
    """Ctrl-C ended a run; the same comparison goes on from there."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One finished run of a comparison."""

    method: str
    seed: int
    run: Path
    curve: tuple[float, ...]
    """Score of the best program after 1, 2, ... evaluations."""
    certified: bool
    fresh: float
    """Score of the certified program on fresh instances; 0, the baseline's, where no program was certified."""

    def at(self, evaluations: int) -> float:
        """Best score after so many evaluations; of a run that ended before, its last."""
        return self.curve[min(evaluations, len(self.curve)) - 1]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds; no interval where there is one seed."""

    mean: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Row:
    """One method. ``difference`` to the first method pairs the runs of the same seed; the first one has none."""

    method: str
    seeds: int
    best: Estimate
    difference: Estimate | None
    certified: int
    pass_at: dict[int, float]
    """Chance that at least one of 1, 2, ... runs has a certified program."""
    fresh: Estimate
    at: dict[int, Estimate]
    """Best score so far, by number of evaluations."""


def compare(
    task: str,
    configs: dict[str, RunConfig],
    seeds: Sequence[int],
    out: Path,
    observers: tuple[Observer, ...] = (),
    stage: Stage = lambda text: None,
) -> list[Trial]:
    """Run every method with every seed into ``out/METHOD-seedSEED``; finished runs are kept, broken ones resumed.

    Seeds are the outer loop, so that a comparison that is cut short has all methods on the same seeds.
    Raises: Interrupted; ConfigError where ``out`` holds a run of other settings; else as ``start``.
    """
    trials = []
    for seed in seeds:
        for method, config in configs.items():
            stage(f"{method}, seed {seed}")
            directory = out / f"{method}-seed{seed}"
            finish(task, config.model_copy(update={"seed": seed}), directory, observers, stage)
            trials.append(trial(method, directory))
    return trials


def finish(
    task: str,
    config: RunConfig,
    directory: Path,
    observers: tuple[Observer, ...] = (),
    stage: Stage = lambda text: None,
) -> None:
    """Finish the run of ``task`` in ``directory``: start or resume it as needed, leave it as it is where it has ended.

    Raises: Interrupted; ConfigError where the folder holds a run of other settings; else as ``start`` and ``resume``.
    """
    state = _state(directory)
    if state is not None and state.calibration is None:  # stopped before the run began: nothing is lost
        shutil.rmtree(directory)
        state = None
    if state is None:
        outcome = start(task, config, directory, observers=observers, stage=stage)
    else:
        _same(task, config, directory, state)
        if state.stopped not in (None, "interrupted"):
            return
        outcome = resume(directory, observers=observers, stage=stage)
    if outcome.stopped_by == "interrupted":
        raise Interrupted


def _state(directory: Path) -> RunState | None:
    """The state of the run in the folder, or None where there is none."""
    if not is_run(directory):
        return None
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        return replay(journal)


def _states(directory: Path) -> Iterator[RunState]:
    """The state after each event of the journal, one object that changes."""
    state = RunState()
    with contextlib.closing(Journal.open(directory, readonly=True)) as journal:
        for _, _, event in journal.events():
            state.apply(event)
            yield state


def _same(task: str, config: RunConfig, directory: Path, state: RunState) -> None:
    """Raises: ConfigError, TaskError where the run in the folder is not the one that is asked for."""
    assert state.started is not None
    folder = load_task(task)
    if state.started.task_digest != folder.digest:
        raise TaskError(f"{directory} holds a run of another task, or of other files of this one: give another -o")
    asked, found = settle(config, folder.task.limits).model_dump(mode="json"), state.started.config
    other = sorted(key for key in asked.keys() - {"workers"} if asked[key] != found.get(key))
    if other:
        raise ConfigError(f"{directory} holds a run with other settings ({', '.join(other)}): give another -o")


def trial(method: str, directory: Path) -> Trial:
    """What a finished run says."""
    curve: list[float] = []
    state = RunState()
    for state in _states(directory):
        best = state.best
        if state.evaluations > len(curve) and best is not None and best[1].score is not None:
            curve.append(best[1].score)
    assert state.started is not None
    certified = state.certified_best
    score = state.certificates[certified[0]].score if certified else None
    return Trial(
        method=method,
        seed=state.started.seed,
        run=directory,
        curve=tuple(curve),
        certified=certified is not None,
        fresh=score if score is not None else 0.0,
    )


def estimate(values: Sequence[float]) -> Estimate:
    """Mean with the bootstrap's percentile interval (Efron and Tibshirani 1993, section 13.3).

    Of few values the interval is too narrow: of five it holds about four times in five. The resampling is seeded, so
    the same values give the same interval.
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return Estimate(mean, None)
    drawn = np.random.default_rng(0).choice(np.asarray(values), size=(RESAMPLES, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(mean, Interval(low=float(low), high=float(high)))


def pass_at(runs: int, passed: int, tries: int) -> float:
    """Chance that one of ``tries`` passes, without bias from ``runs`` of which ``passed`` did (Chen et al. 2021)."""
    return 1.0 - math.comb(runs - passed, tries) / math.comb(runs, tries)


def budgets(evaluations: int) -> list[int]:
    """An eighth, a quarter, half of the evaluations, and all of them."""
    return sorted({max(1, evaluations // part) for part in (8, 4, 2, 1)})


def rows(trials: Sequence[Trial], evaluations: int) -> list[Row]:
    """The table, in the order in which the methods first appear; methods are paired by seed."""
    by_method: dict[str, dict[int, Trial]] = {}
    for one in trials:
        by_method.setdefault(one.method, {})[one.seed] = one
    first = next(iter(by_method.values()))
    return [
        _row(method, list(runs.values()), None if runs is first else first, evaluations)
        for method, runs in by_method.items()
    ]


def _row(method: str, runs: list[Trial], first: dict[int, Trial] | None, evaluations: int) -> Row:
    best = [run.at(evaluations) for run in runs]
    paired = [run.at(evaluations) - first[run.seed].at(evaluations) for run in runs] if first else None
    certified = sum(run.certified for run in runs)
    return Row(
        method=method,
        seeds=len(runs),
        best=estimate(best),
        difference=estimate(paired) if paired else None,
        certified=certified,
        pass_at={tries: pass_at(len(runs), certified, tries) for tries in range(1, len(runs) + 1)},
        fresh=estimate([run.fresh for run in runs]),
        at={count: estimate([run.at(count) for run in runs]) for count in budgets(evaluations)},
    )
