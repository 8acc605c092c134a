"""Runs of the engine on programs that are imagined: what one is worth follows from its text, and nothing is run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from speciate.agents import Proposer
from speciate.archive import ArchiveSettings, Calibrated, Event, Journal, RunStarted, RunState
from speciate.benchmarks.virtual import VirtualLoop
from speciate.discovery import Budget
from speciate.discovery.briefing import task_card
from speciate.discovery.conductor import Conductor
from speciate.discovery.config import load_config
from speciate.discovery.events import seed_event
from speciate.discovery.jobs import Evaluate, Job
from speciate.discovery.rules import Rules
from speciate.evaluators import Calibration, Descriptor, Evaluation, load_task

TOY = Path(__file__).parent.parent / "toy_tasks" / "linear"
PROGRAM = """import numpy as np

# EVOLVE-BLOCK-START
{numbers}


def solve(x):
    return x


# EVOLVE-BLOCK-END
"""


def program(**numbers: float | str) -> str:
    """One that ``linear`` allows, with these numbers of the module."""
    return PROGRAM.format(numbers="\n".join(f"{name} = {value}" for name, value in numbers.items()))


class Imagined:
    """An executor with ``workers`` workers, each busy for the seconds that ``duration`` draws."""

    def __init__(self, judge: Callable[[str], Evaluation], workers: int, duration: Callable[[], float]) -> None:
        self._judge = judge
        self._free = asyncio.Semaphore(workers)
        self._duration = duration

    async def do(self, job: Job[Any]) -> Any:
        if not isinstance(job, Evaluate):
            return None
        async with self._free:
            await asyncio.sleep(self._duration())
        return self._judge(job.files["program.py"])

    async def close(self) -> None: ...


def opening(baseline: str, archive: ArchiveSettings) -> list[Event]:
    calibration = Calibration(
        size="default", purpose="search", sets=1, clocked=False, tier="full", baseline={}, reference={},
        baseline_metrics={}, reference_metrics={}, baseline_cpu={}, reference_gain=1.0, gains=(1.0,),
        baseline_value=1.0, reference_value=0.4,
    )  # fmt: skip
    started = RunStarted(
        task="linear", task_path=str(TOY), task_digest="d", config={}, seed=0, secret="00", archive=archive, version="0"
    )
    return [started, Calibrated(calibration=calibration), seed_event(baseline)]


class Imagine(Protocol):
    def __call__(
        self,
        judge: Callable[[str], Evaluation],
        proposer: Proposer,
        baseline: str,
        *,
        descriptors: Sequence[Descriptor] = (),
        duration: Callable[[], float] = ...,
        **values: Any,
    ) -> tuple[RunState, float]:
        """State at the end of a run with the configuration ``values``, and its virtual seconds."""
        ...


@pytest.fixture
def imagine(tmp_path_factory: pytest.TempPathFactory) -> Imagine:
    def search(
        judge: Callable[[str], Evaluation],
        proposer: Proposer,
        baseline: str,
        *,
        descriptors: Sequence[Descriptor] = (),
        duration: Callable[[], float] = lambda: 0.0,
        **values: Any,
    ) -> tuple[RunState, float]:
        folder = load_task(str(TOY))
        settings: dict[str, Any] = {"islands__count": 1, "workers": 1, "in_flight": 1} | values
        config = load_config(None, **settings)
        islands = config.islands.model_dump(exclude={"count"})
        archive = ArchiveSettings.of(descriptors, islands=config.islands.count, **islands)
        state, loop = RunState(), VirtualLoop()
        with contextlib.closing(Journal.create(tmp_path_factory.mktemp("imagined") / "run")) as journal:
            for event in opening(baseline, archive):
                journal.append(event)
                state.apply(event)
            conductor = Conductor(
                config, task_card(folder), Rules(folder.task, baseline), state, journal, proposer,
                Imagined(judge, config.workers or 1, duration), Budget(config.budget),
            )  # fmt: skip
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(conductor.run())
                return state, loop.time()

    return search
