"""A cluster and a model that are imagined: what they answer costs no computation, only time on a virtual clock."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..agents import Brief, Cost, Desk, Operator, Proposal
from ..archive import Program, Replied
from ..discovery.jobs import Evaluate, Job
from ..evaluators import Evaluation, InstanceResult, Interval, State

START = "# EVOLVE-BLOCK-START\n"
IDEA = "The swap that gains most is found sooner where the nearest medoids are kept beside the second nearest. " * 8
"""The words of a reply."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the conductor has to do with. Seconds are virtual; durations are log-uniform, replies uniform."""

    workers: int = 10_000
    shortest: float = 1.0
    longest: float = 3600.0
    first_reply: float = 1.0
    last_reply: float = 60.0
    lost: float = 0.01
    """Share of evaluations that the machine fails."""
    straggling: float = 0.005
    """Share of evaluations that take ten times as long."""
    wrong: float = 0.3
    """Share of programs that are not VALID."""
    lines: int = 2
    """Evaluations in flight, per worker."""
    ordered: bool = True

    @property
    def mean_seconds(self) -> float:
        """Of an evaluation."""
        spread = math.log(self.longest / self.shortest)
        mean = (self.longest - self.shortest) / spread if spread else self.longest
        return mean * (1 + 9 * self.straggling)

    @property
    def demand(self) -> float:
        """Evaluations per second that keep all workers busy."""
        return self.workers / self.mean_seconds

    @property
    def replies(self) -> int:
        """Calls of the model in flight that make so many programs, where they are taken in the order of asking."""
        return math.ceil(1.5 * self.last_reply * self.demand) + 1


class Cluster:
    """An executor. How long an evaluation takes and what comes of it is drawn; each worker does one at a time."""

    def __init__(self, load: Load, seed: int = 0) -> None:
        self._load = load
        self._rng = np.random.default_rng(seed)
        self._free = asyncio.Semaphore(load.workers)
        self.busy = 0.0
        """Virtual seconds of workers at work."""
        self.cpu = 0.0
        """Seconds of this process that went into imagining."""
        self.done = 0

    async def do(self, job: Job[Any]) -> Any:
        if not isinstance(job, Evaluate):
            return None
        async with self._free:
            seconds = self._seconds()
            self.busy += seconds
            await asyncio.sleep(seconds)
        began = time.process_time()
        try:
            return self._result(job, seconds)
        finally:
            self.cpu += time.process_time() - began

    def _result(self, job: Evaluate, seconds: float) -> Evaluation:
        self.done += 1
        if self._rng.random() < self._load.lost:
            return job.lost("an imagined node failed")
        return self._evaluation(job.program, seconds)

    def _seconds(self) -> float:
        load = self._load
        drawn = math.exp(self._rng.uniform(math.log(load.shortest), math.log(load.longest)))
        return drawn * 10 if self._rng.random() < load.straggling else drawn

    def _evaluation(self, program: str, seconds: float) -> Evaluation:
        state = State.CRASHED if self.done > 1 and self._rng.random() < self._load.wrong else State.VALID
        return imagined(state, float(self._rng.normal()), program[:32], seconds, self._rng)

    async def close(self) -> None: ...


INSTANCES = ("small", "medium", "large", "skewed")


def imagined(state: State, score: float, behaviour: str, seconds: float, rng: np.random.Generator) -> Evaluation:
    """An evaluation on four instances."""
    valid = state is State.VALID
    first, second = rng.random(2)
    results = tuple(
        InstanceResult(
            name=name,
            state=state,
            note="" if valid else "IndexError: index 3 is out of bounds in line 14",
            value=1 - score / 2 if valid else None,
            gain=score / 2 if valid else None,
            metrics={"cost": 1 - score / 2} if valid else {},
            cpu_seconds=seconds / 4,
            wall_seconds=seconds / 4,
            peak_memory=40_000_000,
        )
        for name in (INSTANCES if valid else INSTANCES[:1])
    )
    return Evaluation(
        state=state,
        size="default" if valid else "smoke",
        score=score if valid else None,
        interval=Interval(low=score - 0.2, high=score + 0.2) if valid else None,
        value=1 - score / 2 if valid else None,
        metrics={"cost": 1 - score / 2} if valid else {},
        descriptors={"code_size": float(20 + 380 * first), "cpu_seconds": float(1e-3 + second)} if valid else {},
        feedback="" if valid else "crashed on small: IndexError: index 3 is out of bounds in line 14",
        cpu_seconds=seconds,
        wall_seconds=seconds,
        peak_memory=40_000_000,
        tier="imagined",
        instances=results,
        behaviour=behaviour,
        gated=not valid,
    )


class Model:
    """A proposer that waits for replies of a language model, each of which is the parent with a number of its own."""

    name = "imagined"

    def __init__(self, load: Load, baseline: str, seed: int = 0) -> None:
        self._load = load
        self._baseline = baseline
        self._rng = np.random.default_rng(seed)
        self._desk: Desk | None = None
        self.cpu = 0.0
        """Seconds of this process that went into imagining."""

    @property
    def concurrency(self) -> int:
        return self._load.replies

    @property
    def allowance(self) -> Cost:
        return Cost(tokens=8000)

    def open(self, desk: Desk) -> None:
        self._desk = desk

    async def close(self) -> None: ...

    async def propose(self, brief: Brief) -> Proposal:
        assert self._desk is not None
        await asyncio.sleep(self._rng.uniform(self._load.first_reply, self._load.last_reply))
        began = time.process_time()
        source = self._baseline.replace(START, f"{START}SCALE = {1 + brief.index / 1e9!r}\n", 1)
        asked = f"{brief.index:064x}"
        reply = Replied(
            index=brief.index,
            step=0,
            model=self.name,
            prompt_hash=asked,
            text=IDEA + source,
            prompt_tokens=3000,
            output_tokens=600,
        )
        self.cpu += time.process_time() - began
        self._desk.record(reply)
        return Proposal(
            program=Program.of(source),
            parents=(brief.parent.program.id,),
            operator=Operator.REWRITE,
            proposer=self.name,
            detail="rewrite",
            model=self.name,
            prompt_hash=asked,
            cost=Cost(tokens=3600),
        )
