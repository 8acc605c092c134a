"""``python -m speciate.benchmarks.scale``: how large a cluster one conductor keeps busy.

Conductor, archive and journal are those of a run; the workers and the model are imagined, on a virtual clock. What is
measured is this process's CPU and memory per candidate, the imagined parts and the event loop included. A conductor is
saturated where the workers ask for more candidates per second than one core can serve.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ..archive import ArchiveSettings, Calibrated, Event, Journal, RunStarted, RunState
from ..discovery import Budget
from ..discovery.briefing import task_card
from ..discovery.conductor import Conductor
from ..discovery.config import BudgetSettings, RunConfig
from ..discovery.events import seed_event
from ..discovery.rules import Rules
from ..evaluators import Calibration, Descriptor, TaskFolder, load_task
from .cluster import INSTANCES, Cluster, Load, Model
from .virtual import VirtualLoop

TASK = "fasterpam"
AXES = (Descriptor("code_size", 20, 400, bins=12, scale="log"), Descriptor("cpu_seconds", 1e-3, 1.0, 10, scale="log"))


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@dataclass
class Marks:
    """An observer that notes CPU and memory at the first quarter of the evaluations and at the end."""

    evaluations: int
    cpu: list[float]
    wall: list[float]
    memory: list[int]
    counted: list[int]

    def notify(self, event: Event, state: RunState, budget: Budget) -> None:
        due = (self.evaluations // 4, self.evaluations)
        if len(self.cpu) < 2 and state.evaluations >= due[len(self.cpu)]:
            gc.collect()
            self.cpu.append(time.process_time())
            self.wall.append(time.monotonic())
            self.memory.append(resident())
            self.counted.append(len(state.proposals))


@dataclass(frozen=True, slots=True)
class Measured:
    """``cpu_ms`` per candidate and ``growth`` in bytes per program, over the last three quarters."""

    load: Load
    candidates: int
    cpu_ms: float
    wall_ms: float
    growth: float
    virtual_seconds: float
    busy: float
    """Share of the workers' time."""

    @property
    def most(self) -> float:
        """Candidates per second of one core."""
        return 1000 / self.cpu_ms


def calibration() -> Calibration:
    ones: dict[str, float] = dict.fromkeys(INSTANCES, 1.0)
    return Calibration(
        size="default",
        purpose="search",
        sets=1,
        tier="imagined",
        baseline=ones,
        reference=dict.fromkeys(INSTANCES, 0.5),
        baseline_metrics={},
        reference_metrics={},
        baseline_cpu=ones,
        reference_gain=0.5,
        gains=(0.5,),
        baseline_value=1.0,
        reference_value=0.5,
    )


def opening(folder: TaskFolder, config: RunConfig) -> list[Event]:
    """The first events of such a run."""
    started = RunStarted(
        task=folder.task.id,
        task_path=str(folder.path),
        task_digest=folder.digest,
        config=config.model_dump(mode="json"),
        archive=ArchiveSettings.of(AXES, islands=config.islands.count, migration_interval=500),
        seed=config.seed,
        secret="00",
        version="0",
    )
    return [started, Calibrated(calibration=calibration()), seed_event(folder.baseline)]


def measure(load: Load, candidates: int, directory: Path, url: str | None = None) -> Measured:
    """One run of so many candidates."""
    folder = load_task(TASK)
    budget = BudgetSettings(evaluations=candidates)
    config = RunConfig(budget=budget, workers=load.workers, in_flight=load.lines * load.workers)
    marks = Marks(candidates, [], [], [], [])
    with contextlib.closing(Journal.create(directory, url)) as journal:
        state = RunState()
        events = opening(folder, config)
        journal.append(*events)
        for event in events:
            state.apply(event)
        loop = VirtualLoop()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            cluster = runner.run(_conduct(load, folder, config, state, journal, marks))
    done = marks.counted[1] - marks.counted[0]
    return Measured(
        load=load,
        candidates=len(state.proposals),
        cpu_ms=1000 * (marks.cpu[1] - marks.cpu[0]) / done,
        wall_ms=1000 * (marks.wall[1] - marks.wall[0]) / done,
        growth=(marks.memory[1] - marks.memory[0]) / done,
        virtual_seconds=loop.time(),
        busy=cluster.busy / (load.workers * loop.time()),
    )


async def _conduct(
    load: Load, folder: TaskFolder, config: RunConfig, state: RunState, journal: Journal, marks: Marks
) -> Cluster:
    cluster = Cluster(load)
    conductor = Conductor(
        config,
        task_card(folder),
        Rules(folder.task, folder.baseline),
        state,
        journal,
        Model(load, folder.baseline),
        cluster,
        Budget(config.budget),
        (marks,),
    )
    await conductor.run()
    return cluster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[100, 1_000, 10_000])
    parser.add_argument("--candidates", type=int, default=20_000)
    parser.add_argument("--longest", type=float, default=3600.0)
    parser.add_argument("--lines", type=int, default=2, help="evaluations in flight per worker")
    parser.add_argument("--journal", help="URL of a PostgreSQL database; SQLite by default")
    options = parser.parse_args()
    load = Load(longest=options.longest, lines=options.lines)
    for workers in options.workers:
        with tempfile.TemporaryDirectory() as scratch:
            one = measure(replace(load, workers=workers), options.candidates, Path(scratch) / "run", options.journal)
        print(one, one.most, flush=True)


if __name__ == "__main__":
    main()
