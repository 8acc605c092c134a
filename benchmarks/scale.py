"""``python -m speciate.benchmarks.scale``: how large a cluster one conductor keeps busy.

Conductor, archive and journal are those of a run; the workers and the model are imagined, on a virtual clock. What is
measured is this process's CPU and memory per candidate, the event loop included, what goes into imagining left out. A
conductor is saturated where the workers ask for more candidates per second than one core can serve.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import contextlib
import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..archive import ArchiveSettings, Calibrated, Event, Journal, RunStarted, RunState
from ..discovery import Budget
from ..discovery.briefing import task_card
from ..discovery.conductor import Conductor
from ..discovery.config import BudgetSettings, RunConfig
from ..discovery.events import seed_event
from ..discovery.recorder import Observer
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


def yardstick(source: str) -> float:
    """CPU seconds to parse and unparse a program once, which differ between machines as the conductor's do."""
    began = time.process_time()
    ast.unparse(ast.parse(source))
    return time.process_time() - began


EVERY = 25
"""Programs per yardstick, so that what else the machine does weighs on both alike."""


class Marks:
    """An observer that notes CPU and memory when a part of the programs is evaluated, and at the end."""

    def __init__(self, source: str, first: int, last: int, imagined: Callable[[], float]) -> None:
        self._source = source
        self._imagined = imagined
        self._due = [first, last]
        self._next = first
        self.yards: list[float] = []
        self.cpu: list[float] = []
        self.wall: list[float] = []
        self.memory: list[int] = []
        self.counted: list[int] = []

    def notify(self, event: Event, state: RunState, budget: Budget) -> None:
        if self._due and state.evaluations >= self._due[0]:
            self._due.pop(0)
            gc.collect()
            self.memory.append(resident())
            self.counted.append(len(state.proposals))
            self.wall.append(time.monotonic())
            self.cpu.append(time.process_time() - sum(self.yards) - self._imagined())
        elif state.evaluations >= self._next and self._due:
            self._next += EVERY
            self.yards.append(yardstick(self._source))


@dataclass(frozen=True, slots=True)
class Measured:
    """Over the part of the run in which the cluster is full."""

    load: Load
    candidates: int
    cpu_ms: float
    """Per candidate."""
    yard_ms: float
    growth: float
    """Bytes of memory per program."""
    busy: float
    """Share of the workers' time, over the whole run."""

    @property
    def yards(self) -> float:
        """CPU per candidate, in parses of its text."""
        return self.cpu_ms / self.yard_ms

    def most(self, yard_ms: float) -> float:
        """Candidates per second of one core of a machine with this yardstick."""
        return 1000 / (self.yards * yard_ms)


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
    """One run of so many candidates, of which the last half is measured."""
    folder = load_task(TASK)
    budget = BudgetSettings(evaluations=candidates)
    config = RunConfig(budget=budget, workers=load.workers, in_flight=load.lines * load.workers, ordered=load.ordered)
    cluster, model = Cluster(load), Model(load, folder.baseline)
    marks = Marks(folder.baseline, candidates // 2, candidates - 1, lambda: cluster.cpu + model.cpu)
    with contextlib.closing(Journal.create(directory, url)) as journal:
        state = RunState()
        events = opening(folder, config)
        journal.append(*events)
        for event in events:
            state.apply(event)
        loop = VirtualLoop()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(conduct(folder, config, state, journal, model, cluster, marks))
    done = marks.counted[1] - marks.counted[0]
    return Measured(
        load=load,
        candidates=len(state.proposals),
        cpu_ms=1000 * (marks.cpu[1] - marks.cpu[0]) / done,
        yard_ms=1000 * sum(marks.yards) / len(marks.yards),
        growth=(marks.memory[1] - marks.memory[0]) / done,
        busy=cluster.busy / (load.workers * loop.time()),
    )


async def conduct(
    folder: TaskFolder,
    config: RunConfig,
    state: RunState,
    journal: Journal,
    model: Model,
    cluster: Cluster,
    observer: Observer,
) -> None:
    conductor = Conductor(
        config,
        task_card(folder),
        Rules(folder.task, folder.baseline),
        state,
        journal,
        model,
        cluster,
        Budget(config.budget),
        (observer,),
    )
    await conductor.run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[100, 1_000, 10_000])
    parser.add_argument("--candidates", type=int, default=40_000)
    parser.add_argument("--longest", type=float, default=3600.0, help="seconds; the shortest evaluation takes 1")
    parser.add_argument("--last-reply", type=float, default=60.0, help="seconds; the first replies take 1")
    parser.add_argument("--lines", type=int, default=2, help="evaluations in flight per worker")
    parser.add_argument("--as-they-end", action="store_true", help="evaluations land as they end (ordered=false)")
    parser.add_argument("--journal", metavar="URL", help="a PostgreSQL database; SQLite by default")
    options = parser.parse_args()
    load = Load(
        longest=options.longest,
        last_reply=options.last_reply,
        lines=options.lines,
        ordered=not options.as_they_end,
    )
    quiet = 1000 * min(yardstick(load_task(TASK).baseline) for _ in range(200))
    print(f"parsing a program takes {quiet:.2f} ms at best; candidates per second are for that")
    print("| workers | mean s | asked per s | CPU per candidate | parses | most per s | busy | bytes per program |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for workers in options.workers:
        with tempfile.TemporaryDirectory() as scratch:
            one = measure(replace(load, workers=workers), options.candidates, Path(scratch) / "run", options.journal)
        row = (
            f"{workers:,}",
            f"{one.load.mean_seconds:.1f}",
            f"{one.load.demand:.1f}",
            f"{one.cpu_ms:.2f} ms",
            f"{one.yards:.2f}",
            f"{one.most(quiet):.0f}",
            f"{one.busy:.0%}",
            f"{one.growth:,.0f}",
        )
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
