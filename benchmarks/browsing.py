"""``python -m speciate.benchmarks.browsing``: how long a large run takes to open in the TUI, and to scroll.

The journal is written by the machinery of a run (RunState, islands, migration) from scripted outcomes: no program runs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..archive import (
    ArchiveSettings,
    Calibrated,
    Certified,
    Dropped,
    Evaluated,
    Event,
    Journal,
    Program,
    Proposed,
    RunStarted,
    RunState,
    Stopped,
    moved,
)
from ..discovery.config import BudgetSettings, RunConfig
from ..discovery.events import added_events, seed_event
from ..evaluators import Calibration, Descriptor, Evaluation, InstanceResult, Interval, State

AXES = (Descriptor("code_size", 20, 400, bins=12, scale="log"), Descriptor("cpu_seconds", 1e-3, 1.0, 10, scale="log"))
OUTCOMES = (State.VALID,) * 7 + (State.CRASHED, State.INVALID, State.TIMEOUT)
OPERATORS = (("mutate", "perturb_constant"), ("mutate", "swap_operator"), ("crossover", "blocks"), ("tune", "cma"))
INSTANCES = ("small", "medium", "large", "skewed")
SOURCE = '''"""Estimate the bias of each expert from past loads."""

import numpy as np


# EVOLVE-BLOCK-START
def solve(loads: np.ndarray, rounds: int) -> np.ndarray:
    """The biases, one per expert."""
    bias = np.zeros(loads.shape[1])
    momentum = np.zeros_like(bias)
    for step in range(rounds):
        target = loads[step].mean()
        error = target - loads[step]
        momentum = {momentum} * momentum + (1 - {momentum}) * error
        bias += {rate} * np.sign(error) + {gain} * momentum
        bias -= bias.mean()
        if np.abs(error).max() < {tolerance} * target:
            break
    return bias
# EVOLVE-BLOCK-END
'''


def written(directory: Path, programs: int, *, islands: int = 4, seed: int = 0, finished: bool = True) -> Path:
    """A run of that many evaluated programs, the baseline among them. Returns the folder."""
    with contextlib.closing(Journal.create(directory)) as journal:
        for batch in events(programs, islands=islands, seed=seed, finished=finished):
            journal.append(*batch)
    return directory


def events(programs: int, *, islands: int = 4, seed: int = 0, finished: bool = True) -> Iterator[tuple[Event, ...]]:
    """The events of such a run, in the transactions of a conductor."""
    rng = np.random.default_rng(seed)
    state = RunState()

    def told(*batch: Event) -> tuple[Event, ...]:
        for event in batch:
            state.apply(event)
        return batch

    yield told(_started(programs, islands, seed))
    yield told(Calibrated(calibration=_calibration()))
    index = 0
    while state.evaluations < programs:
        if index and rng.random() < 0.05:
            yield told(Dropped(index=index, island=index % islands, reason="duplicate", proposer="symbolic"))
        else:
            yield told(_proposed(index, index % islands, state, rng))
            yield _landed(index, state, rng)
        index += 1
    if finished:
        best = state.best
        assert best is not None
        fresh = best[1].model_copy(update={"interval": Interval(low=0.01, high=best[1].score or 1.0, confidence=0.99)})
        yield told(Certified(program=best[0], evaluation=fresh))
        yield told(Stopped(reason="evaluations", seconds=programs / 20))


def _landed(index: int, state: RunState, rng: np.random.Generator) -> tuple[Event, ...]:
    """An evaluation and what follows from it, in one transaction."""
    evaluated = Evaluated(index=index, evaluation=_evaluation(index, state, rng))
    added = added_events(index, state.apply(evaluated))
    moves = [moved(index, move) for move in state.archipelago.due()]
    for move in moves:
        state.apply(move)
    return (evaluated, *added, *moves)


def _started(programs: int, islands: int, seed: int) -> RunStarted:
    config = RunConfig(seed=seed, budget=BudgetSettings(evaluations=programs), workers=2)
    return RunStarted(
        task="alf_lb_online_dual",
        task_path="/nowhere/alf_lb_online_dual",
        task_digest="0" * 64,
        config=config.model_dump(mode="json"),
        archive=ArchiveSettings.of(AXES, islands=islands),
        seed=seed,
        secret="00",
        version="0",
    )


def _calibration() -> Calibration:
    names: dict[str, float] = dict.fromkeys(INSTANCES, 1.0)
    return Calibration(
        size="default",
        purpose="search",
        sets=1,
        tier="bubblewrap",
        baseline=names,
        reference=dict.fromkeys(INSTANCES, 0.5),
        baseline_metrics={name: {"regret": 1.0} for name in INSTANCES},
        reference_metrics={name: {"regret": 0.5} for name in INSTANCES},
        baseline_cpu=names,
        reference_gain=0.5,
        gains=(0.5,),
        baseline_value=1.0,
        reference_value=0.5,
    )


def _proposed(index: int, island: int, state: RunState, rng: np.random.Generator) -> Proposed:
    numbers = rng.random(4).round(6)
    source = SOURCE
    for name, number in zip(("momentum", "rate", "gain", "tolerance"), numbers, strict=True):
        source = source.replace("{" + name + "}", repr(float(number)))
    if index == 0:
        return seed_event(source)
    elites = state.archipelago.islands[island].elites()
    operator, detail = OPERATORS[index % len(OPERATORS)]
    program = Program.of(source)
    return Proposed(
        index=index,
        island=island,
        files=dict(program.files),
        program=program.id,
        parents=(elites[int(rng.integers(len(elites)))],),
        operator=operator,
        proposer="tuning" if operator == "tune" else "symbolic",
        detail=detail,
        rationale="Weigh the error by what it was before.",
        cpu_seconds=0.01,
    )


def _evaluation(index: int, state: RunState, rng: np.random.Generator) -> Evaluation:
    outcome = OUTCOMES[int(rng.integers(len(OUTCOMES)))] if index else State.VALID
    cpu, size = float(np.exp(rng.uniform(np.log(1e-3), 0.0))), float(rng.uniform(20, 400))
    score = float(rng.normal(1.2 * (1 - math.exp(-index / 3000)), 0.15)) if index else 0.0
    valid = outcome is State.VALID
    results = tuple(_result(name, outcome, score, cpu) for name in (INSTANCES if valid else INSTANCES[:1]))
    return Evaluation(
        state=outcome,
        size="default",
        score=score if valid else None,
        interval=Interval(low=score - 0.2, high=score + 0.2) if valid else None,
        value=1 - score / 2 if valid else None,
        metrics={"regret": 1 - score / 2} if valid else {},
        descriptors={"code_size": size, "cpu_seconds": cpu} if valid else {},
        feedback="" if valid else f"{outcome.value} on {INSTANCES[0]}: index 3 is out of bounds in line 14",
        cpu_seconds=cpu * 4,
        wall_seconds=cpu * 5,
        peak_memory=40_000_000,
        tier="bubblewrap",
        instances=results,
    )


def _result(name: str, outcome: State, score: float, cpu: float) -> InstanceResult:
    if outcome is not State.VALID:
        return InstanceResult(name=name, state=outcome, note="index 3 is out of bounds", cpu_seconds=cpu)
    value = 1 - score / 2
    metrics = {"regret": value}
    return InstanceResult(name=name, state=outcome, value=value, gain=score / 2, metrics=metrics, cpu_seconds=cpu)


@dataclass(frozen=True, slots=True)
class Opened:
    """A run opened in the TUI, by itself in a process: seconds since that began, and milliseconds per key."""

    programs: int
    wall_seconds: float
    cpu_seconds: float
    line_ms: float
    """CPU for the cursor to go down one line and the screen to be drawn."""
    page_ms: float


KEYS = 100


async def _opened(directory: Path, began: float) -> Opened:
    from ..tui.app import open_browser
    from ..tui.screens.programs import ProgramsPane
    from ..tui.screens.run import RunScreen

    app = open_browser(directory)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        while not screen.loaded:
            await asyncio.sleep(0.01)
        await pilot.pause()
        wall, cpu = time.time() - began, time.process_time()
        pane = screen.pane
        assert isinstance(pane, ProgramsPane)
        took = []
        for key in ("down", "pagedown"):
            before = time.process_time()
            for _ in range(KEYS):
                await pilot.press(key)
            took.append((time.process_time() - before) / KEYS * 1000)
        return Opened(len(pane.listing.keys), wall, cpu, *took)


def opened(directory: Path) -> Opened:
    """Measured in a process of its own, imports and all."""
    command = [sys.executable, "-m", __spec__.name if __name__ == "__main__" else __name__, "--open", str(directory)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Opened(**json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--run", type=Path, help="a run to open, instead of writing one")
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.open:
        began = time.time() - time.process_time()
        print(json.dumps(asdict(asyncio.run(_opened(chosen.open, began)))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        found = opened(chosen.run or written(Path(scratch) / "run", chosen.programs))
    print(f"{found.programs:,} programs open after {found.wall_seconds:.2f} s ({found.cpu_seconds:.2f} s of CPU)")
    print(f"one line down takes {found.line_ms:.1f} ms of CPU, one page {found.page_ms:.1f} ms")


if __name__ == "__main__":
    main()
